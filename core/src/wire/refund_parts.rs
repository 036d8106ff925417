//! What refunds and voids share: rules, fees, amounts, tickets (R26, 2026-04; V26, mid 2026).

use super::Amount;
use super::message::message;
use super::shape::Kind;
use super::value::{Code, Number};

message! {
    /// One refund rule of an airline. Minutes are relative to departure: positive before, negative after.
    RefundRule {
        /// Two-letter airline code.
        airline "airline": Option<String>, loggable;
        /// 0 involuntary, 1 voluntary, 2 tax, 3 special, 4 void; older replies call the field refundReason.
        rule_type "ruleType" | "refundReason": Option<Code>, loggable;
        /// ADT, CHD, INF, joined by `/`; null or empty for all.
        passenger_type "passengerType": Option<String>, loggable;
        /// What the airline keeps.
        penalty_amount "penaltyAmount": Option<Amount> => Kind::AmountWithCurrency, loggable;
        /// Its currency, split off from `480.00 CNY`.
        penalty_currency "penaltyCurrency": Option<String> => Kind::CurrencyOf("penaltyAmount"), loggable;
        /// Percent that the airline keeps.
        penalty_percent "penaltyPercent": Option<Number>, loggable;
        /// Of what: `fare` or `fare+tax`.
        penalty_percent_base "penaltyPercentBase": Option<String>, loggable;
        /// The airline's fee.
        airline_fee "airlineFee": Option<Amount> => Kind::AmountWithCurrency, loggable;
        /// Its currency.
        airline_fee_currency "airlineFeeCurrency": Option<String> => Kind::CurrencyOf("airlineFee"), loggable;
        /// Taxes come back.
        tax_refundable "taxRefundable": Option<bool>, loggable;
        /// The fare comes back.
        fare_refundable "fareRefundable" | "refundable": Option<bool>, loggable;
        /// Ancillary kinds that come back; open, `ALL` seen.
        refundable_ancillaries "refundableAncillaries": Vec<String>, loggable;
        /// Start of the window.
        start_minute "startMinute": Option<Number>, loggable;
        /// End of the window.
        end_minute "endMinute": Option<Number>, loggable;
        /// CashBackToOriginalPayment or Voucher.
        refund_method "refundMethod": Option<String>, loggable;
    }

    /// Atlas' own fee for a refund or void.
    ServiceFee {
        /// Currency.
        currency "currency": Option<String>, loggable, retained;
        /// The fee.
        transaction_fee "transactionFee": Option<Amount>, loggable, retained;
        /// The fee in the display currency.
        display_transaction_fee "displayTransactionFee": Option<Amount>, loggable;
    }

    /// A fare amount and what of it comes back (fare plus ancillaries booked with the ticket).
    FareAmount {
        /// Currency.
        currency "currency": Option<String>, loggable, retained;
        /// What was paid.
        original_fare_amount "originalFareAmount": Option<Amount>, loggable, retained;
        /// What is expected back, before the service fee.
        estimated_refund_amount "estimatedRefundAmount": Option<Amount>, loggable, retained;
        /// What was paid, in the display currency.
        display_original_fare_amount "displayOriginalFareAmount": Option<Amount>, loggable;
        /// What is expected back, in the display currency.
        display_estimated_refund_amount "displayEstimatedRefundAmount": Option<Amount>, loggable;
    }

    /// A post-ticketing ancillary order and what of it comes back.
    PostTicketingAmount {
        /// The ancillary order.
        post_ticketing_order_no "postTicketingOrderNo": Option<String>, loggable, retained;
        /// Currency.
        currency "currency": Option<String>, loggable, retained;
        /// What was paid.
        original_post_ticketing_service_amount "originalPostTicketingServiceAmount": Option<Amount>, loggable, retained;
        /// What is expected back.
        estimated_refund_amount "estimatedRefundAmount": Option<Amount>, loggable, retained;
        /// What was paid, in the display currency.
        display_post_ticketing_service_amount "displayPostTicketingServiceAmount": Option<Amount>, loggable;
        /// What is expected back, in the display currency.
        display_estimated_refund_amount "displayEstimatedRefundAmount": Option<Amount>, loggable;
    }

    /// A ticket of a refund or void. Only names and number are in the schemas; the amounts are live (2026-08).
    RefundTicket {
        /// `LAST/FIRST`.
        name "name": Option<String>;
        /// Last name.
        last_name "lastName": Option<String>;
        /// First and middle names.
        first_name "firstName": Option<String>;
        /// In practice the airline PNR.
        ticket_no "ticketNo": Option<String> => Kind::Joined;
        /// Currency of the amounts.
        currency "currency": Option<String>, loggable;
        /// Fare paid.
        original_fare_amount "originalFareAmount": Option<Amount>, loggable;
        /// Ancillaries paid.
        original_ancillary_amount "originalAncillaryAmount": Option<Amount>, loggable;
        /// Both.
        original_total_amount "originalTotalAmount": Option<Amount>, loggable;
        /// Fare that comes back.
        refundable_amount_for_fare "refundableAmountForFare": Option<Amount>, loggable;
        /// Ancillaries that come back.
        refundable_amount_for_ancillaries "refundableAmountForAncillaries": Option<Amount>, loggable;
        /// 0 involuntary, 1 voluntary, 4 void.
        refund_reason "refundReason": Option<Code>, loggable;
        /// Kept by the airline of the fare.
        airline_penalty_amount_for_fare "airlinePenaltyAmountForFare": Option<Amount>, loggable;
        /// Kept by the airline of the ancillaries.
        airline_penalty_amount_for_ancillaries "airlinePenaltyAmountForAncillaries": Option<Amount>, loggable;
        /// Kept by the airline in all.
        airline_penalty_amount "airlinePenaltyAmount": Option<Amount>, loggable;
        /// Expected back.
        estimated_refund_amount "estimatedRefundAmount": Option<Amount>, loggable;
        /// Paid back (2024).
        actual_refund_amount "actualRefundAmount": Option<Amount>, loggable;
        /// Undocumented; live void replies.
        original_total_amount_with_ticket "originalTotalAmountWithTicket": Option<Amount>, loggable;
        /// Undocumented; live void replies.
        refundable_amount_for_ancillaries_with_ticket "refundableAmountForAncillariesWithTicket":
            Option<Amount>, loggable;
    }
}
