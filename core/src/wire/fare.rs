//! Fares of an itinerary: their parts, their rules, and what they include (ST and OF, 2026-04).

use super::Amount;
use super::message::message;
use super::value::{Code, Number};

message! {
    /// Part of a fare.
    FareDetail {
        /// Code of the part.
        code "code": Option<String>, loggable;
        /// base, tax or fee.
        r#type "type": Option<String>, loggable;
        /// The amount.
        amount "amount": Option<Amount>, loggable;
        /// Free text.
        description "description": Option<String>;
    }

    /// A time-dependent step of a fare rule.
    RuleDetail {
        /// Undocumented number of the rule.
        rule_id "ruleId": Option<Number>, loggable;
        /// T allowed, H with conditions, F not allowed.
        status "status": Option<String>, loggable;
        /// CashBackToOriginalPayment or Voucher.
        refund_method "refundMethod": Option<String>, loggable;
        /// Start, minutes before departure.
        start_minute "startMinute": Option<Number>, loggable;
        /// End, minutes before departure.
        end_minute "endMinute": Option<Number>, loggable;
        /// The fee.
        amount "amount": Option<Amount>, loggable;
        /// Its currency.
        currency "currency": Option<String>, loggable;
    }

    /// A refund rule of a fare, as routing shows it.
    FareRefundRule {
        /// Kind of refund.
        refund_type "refundType": Option<Code>, loggable;
        /// T allowed, H with conditions, F not allowed.
        refund_status "refundStatus": Option<String>, loggable;
        /// CashBackToOriginalPayment or Voucher.
        refund_method "refundMethod": Option<String>, loggable;
        /// The fee.
        refund_fee "refundFee": Option<Amount>, loggable;
        /// Its currency.
        currency "currency": Option<String>, loggable;
        /// T, H or F after a no-show.
        ref_noshow "refNoshow": Option<String>, loggable;
        /// Condition of the no-show rule.
        ref_no_show_condition "refNoShowCondition": Option<Number>, loggable;
        /// No-show fee.
        ref_noshow_fee "refNoshowFee": Option<Amount>, loggable;
        /// The steps over time.
        rule_detail_list "ruleDetailList": Vec<RuleDetail>;
    }

    /// A change rule of a fare.
    FareChangeRule {
        /// Kind of change.
        changes_type "changesType": Option<Code>, loggable;
        /// T allowed, H with conditions, F not allowed.
        changes_status "changesStatus": Option<String>, loggable;
        /// The fee.
        changes_fee "changesFee": Option<Amount>, loggable;
        /// Its currency.
        currency "currency": Option<String>, loggable;
        /// T, H or F after a no-show.
        rev_noshow "revNoshow": Option<String>, loggable;
        /// Condition of the no-show rule.
        rev_no_show_condition "revNoShowCondition": Option<Number>, loggable;
        /// No-show fee.
        rev_noshow_fee "revNoshowFee": Option<Amount>, loggable;
        /// The steps over time.
        rule_detail_list "ruleDetailList": Vec<RuleDetail>;
    }

    /// Baggage that a fare includes.
    IncludedBaggage {
        /// The segment.
        segment_no "segmentNo": Option<Number>, loggable;
        /// StandardCheckInBaggage, CabinBaggage …; open.
        baggage_type "baggageType": Option<String>, loggable;
        /// 0 adult, 1 child, 2 infant.
        passenger_type "passengerType": Option<Code>, loggable;
        /// Pieces; 0 means no limit.
        baggage_piece "baggagePiece": Option<Number>, loggable;
        /// Kilograms; 0 none, -1 unlimited.
        baggage_weight "baggageWeight": Option<Number>, loggable;
        /// Measures, free text.
        baggage_size "baggageSize": Option<String>;
        /// The weight is for all pieces together.
        is_all_weight "isAllWeight": Option<bool>, loggable;
    }

    /// Services that a fare includes.
    IncludedService {
        /// 0 none, 1 free, 2 unknown.
        has_free_seat "hasFreeSeat": Option<Code>, loggable;
        /// A meal is included.
        has_free_meal "hasFreeMeal": Option<bool>, loggable;
    }

    /// The rules of a fare.
    FareRule {
        /// Baggage is included.
        has_baggage "hasBaggage": Option<bool>, loggable;
        /// Which.
        baggage_elements "baggageElements": Vec<IncludedBaggage>;
        /// Refunds.
        refund_rules "refundRules": Vec<FareRefundRule>;
        /// Changes.
        changes_rules "changesRules": Vec<FareChangeRule>;
        /// Services.
        service_elements "serviceElements": Vec<IncludedService>;
    }

    /// The fare in the airline's currency.
    VendorFare {
        /// Adult fare.
        vendor_adult_price "vendorAdultPrice": Option<Amount>, loggable;
        /// Adult tax.
        vendor_adult_tax "vendorAdultTax": Option<Amount>, loggable;
        /// Child fare.
        vendor_child_price "vendorChildPrice": Option<Amount>, loggable;
        /// Child tax.
        vendor_child_tax "vendorChildTax": Option<Amount>, loggable;
        /// Infant fare.
        vendor_infant_price "vendorInfantPrice": Option<Amount>, loggable;
        /// Infant tax.
        vendor_infant_tax "vendorInfantTax": Option<Amount>, loggable;
        /// Currency.
        vendor_currency "vendorCurrency": Option<String>, loggable;
    }
}
