//! refundQuotation, refund, queryRefundOrders (R26, 2026-04; older names as of 2024 and 2025).

use super::message::message;
use super::shape::{Kind, Rule};
use super::value::{Code, Date, Number};
use super::{Amount, FareAmount, PostTicketingAmount, RefundRule, RefundTicket, ServiceFee};
use serde_json::Value as Any;

message! {
    /// A flight of the itinerary to refund; it must equal the order's, else 8041.
    RefundSegment {
        /// Departure day.
        dep_date "depDate": Option<Date>, required, loggable;
        /// Flight number with its carrier prefix.
        flight_no "flightNo": Option<String>, required, loggable;
        /// Departure airport, IATA.
        dep_airport "depAirport": Option<String>, required, loggable;
        /// Arrival airport, IATA.
        arr_airport "arrAirport": Option<String>, required, loggable;
        /// Sent by others with success; not in the schema.
        segment_index "segmentIndex": Option<Number>, loggable;
        /// Sent by others with success; not in the schema.
        arr_date "arrDate": Option<Date>, loggable;
        /// Sent by others with success; not in the schema.
        carrier "carrier": Option<String>, loggable;
    }

    /// A passenger to refund, with every segment of the itinerary.
    RefundPassenger rules [Rule::AnyOf(&[&["lastName", "firstName"], &["name"]])] {
        /// Last name.
        last_name "lastName": Option<String>;
        /// First and middle names.
        first_name "firstName": Option<String>;
        /// 0 involuntary, 1 voluntary, 4 void (legacy: use the void operations). Sent as text; 1 if not given.
        refund_reason "refundReason": Option<Code> => Kind::CodeText, defaults_to_voluntary, loggable;
        /// Every segment: half an itinerary is refused with 811.
        segments "segments": Vec<RefundSegment>, required, never_null;
        /// `LAST/FIRST`, instead of the two names.
        name "name": Option<String>;
        /// Sent by others with success; not in the schema.
        ticket_no "ticketNo": Option<String>;
        /// Sent by others with success; not in the schema.
        passenger_type "passengerType": Option<Code>, loggable;
    }

    /// Asks what a refund would give back. Read-only; each call makes a new offer.
    RefundQuotationRequest rules [Rule::AnyOf(&[&["orderNo"], &["airlinePNR", "carrier"]])] {
        /// Main order number.
        order_no "orderNo": Option<String>, loggable;
        /// Airline PNR, together with carrier, instead of the order number.
        airline_pnr "airlinePNR": Option<String>;
        /// Two-letter airline code.
        carrier "carrier": Option<String>, loggable;
        /// Adds display amounts in this currency, for the rest of this refund.
        display_currency "displayCurrency": Option<String>, loggable;
        /// Who and which flights.
        refund_request_list "refundRequestList": Vec<RefundPassenger>, required, never_null;
        /// Legacy client id (2022).
        cid "cid": Option<String>, loggable;
    }

    /// Submits a refund. It cannot be withdrawn.
    RefundRequest rules [
        Rule::AnyOf(&[&["orderNo"], &["airlinePNR", "carrier"]]),
        Rule::ExactlyOne("refundOfferId", "refundRequestList")
    ] {
        /// Main order number.
        order_no "orderNo": Option<String>, loggable;
        /// Airline PNR, together with carrier, instead of the order number.
        airline_pnr "airlinePNR": Option<String>;
        /// Two-letter airline code.
        carrier "carrier": Option<String>, loggable;
        /// Adds display amounts in this currency.
        display_currency "displayCurrency": Option<String>, loggable;
        /// The offer of a quotation that answered 0 (valid for 2 hours by a 2025 note).
        refund_offer_id "refundOfferId": Option<String>, sent_null, loggable;
        /// Without a quotation: who and which flights. Prefer the offer: it is what a lost reply is found by.
        refund_request_list "refundRequestList": Vec<RefundPassenger>, sent_null;
        /// Legacy client id (2022).
        cid "cid": Option<String>, loggable;
    }

    /// Asks how refunds stand.
    QueryRefundOrdersRequest rules [Rule::AnyOf(&[&["orderNo"], &["airlinePNR", "carrier"]])] {
        /// From refund. The schema wants it; recovery after a lost reply must try without.
        refund_code "refundCode": Option<String>, loggable;
        /// Main order number.
        order_no "orderNo": Option<String>, loggable;
        /// Airline PNR, together with carrier, instead of the order number.
        airline_pnr "airlinePNR": Option<String>;
        /// Two-letter airline code.
        carrier "carrier": Option<String>, loggable;
        /// Adds display amounts in this currency.
        display_currency "displayCurrency": Option<String>, loggable;
    }

    /// Passenger entitled to a voucher.
    VoucherPassenger {
        /// `LAST/FIRST`.
        name "name": Option<String>;
    }

    /// A voucher given instead of cash.
    RefundVoucher {
        /// Atlas' id of the voucher.
        voucher_id "voucherId": Option<String>, loggable;
        /// The airline's code.
        voucher_code "voucherCode": Option<String>;
        /// Who may use it.
        eligible_passengers "eligiblePassengers": Vec<VoucherPassenger>;
        /// Two-letter airline code.
        airline "airline": Option<String>, loggable;
        /// Value.
        estimated_refund_amount "estimatedRefundAmount": Option<Amount>, loggable;
        /// Currency.
        currency "currency": Option<String>, loggable;
        /// First day.
        voucher_start_date "voucherStartDate": Option<Date>, loggable;
        /// Last day.
        voucher_end_date "voucherEndDate": Option<Date>, loggable;
        /// First day of travel.
        travel_start_date "travelStartDate": Option<Date>, loggable;
        /// Last day of travel.
        travel_end_date "travelEndDate": Option<Date>, loggable;
        /// Free text.
        note "note": Option<String>;
    }

    /// Reference texts of older replies (2025).
    ReferenceInformation {
        /// Free text.
        atlas_policy "atlasPolicy": Option<String>;
        /// Two-letter airline code.
        airline "airline": Option<String>, loggable;
        /// 0 involuntary, 1 voluntary.
        refund_reason "refundReason": Option<Code>, loggable;
        /// Free text.
        airline_policy "airlinePolicy": Option<String>;
    }

    /// The answer to a refund quotation.
    RefundQuotationReply {
        /// Echo.
        order_no "orderNo": Option<String>, loggable;
        /// Echo.
        display_currency "displayCurrency": Option<String>, loggable;
        /// Whether a refund is possible: the field to trust.
        is_refundable "isRefundable": Option<bool>, loggable;
        /// AccurateQuote, or CannotQuote: the airline decides.
        refund_quote_type "refundQuoteType": Option<String>, loggable;
        /// For refund. It is present on refusals too and then worthless.
        refund_offer_id "refundOfferId": Option<String>, loggable;
        /// CashBackToOriginalPayment or Voucher.
        refund_method "refundMethod": Option<String>, loggable;
        /// The airline supports automatic fulfilment.
        fast_confirmation "fastConfirmation": Option<bool>, loggable;
        /// When the airline is expected to confirm.
        expected_confirmation_date "expectedConfirmationDate": Option<Date>, loggable;
        /// When the money is expected.
        expected_refund_date "expectedRefundDate": Option<Date>, loggable;
        /// Per passenger.
        refund_tickets "refundTickets": Vec<RefundTicket>;
        /// Fare with ancillaries booked with it; null when not cash.
        refund_fare_amount "refundFareAmount": Option<FareAmount>;
        /// Per post-ticketing ancillary order.
        refund_post_ticketing_service_amounts "refundPostTicketingServiceAmounts": Vec<PostTicketingAmount>;
        /// Vouchers, when the method is Voucher.
        refund_vouchers "refundVouchers": Vec<RefundVoucher>;
        /// Atlas' fee, deducted as well.
        service_fee "serviceFee": Option<ServiceFee>;
        /// The airline's rules.
        refund_rules "refundRules": Vec<RefundRule>;
        /// Older replies.
        reference_information "referenceInformation": Option<ReferenceInformation>;
        /// Older replies: currency of the root amounts.
        currency "currency": Option<String>, loggable;
        /// Older replies.
        original_total_fare_amount "originalTotalFareAmount": Option<Amount>, loggable;
        /// Older replies.
        original_total_ancillary_amount "originalTotalAncillaryAmount": Option<Amount>, loggable;
        /// Older replies.
        original_total_amount "originalTotalAmount": Option<Amount>, loggable;
        /// Older replies.
        airline_penalty_amount_for_fare "airlinePenaltyAmountForFare": Option<Amount>, loggable;
        /// Older replies.
        airline_penalty_amount_for_ancillaries "airlinePenaltyAmountForAncillaries": Option<Amount>, loggable;
        /// Older replies.
        airline_penalty_amount "airlinePenaltyAmount": Option<Amount>, loggable;
        /// Older replies.
        estimated_refund_amount "estimatedRefundAmount": Option<Amount>, loggable;
        /// Older replies.
        transaction_fee "transactionFee": Option<Amount>, loggable;
    }

    /// The answer to a submitted refund.
    RefundReply {
        /// Echo.
        order_no "orderNo": Option<String>, loggable, retained;
        /// 0 right after acceptance; see queryRefundOrders.
        refund_status "refundStatus": Option<Code>, loggable, retained;
        /// The refund's number, `yyyyMM-NNNN` as seen; not guaranteed.
        refund_code "refundCode": Option<String>, loggable, retained;
        /// Empty while open.
        cancel_reason "cancelReason": Option<String>;
        /// 0 involuntary, 1 voluntary, 4 void.
        refund_reason "refundReason": Option<Code>, loggable;
        /// Echo.
        display_currency "displayCurrency": Option<String>, loggable;
        /// As in the quotation.
        is_refundable "isRefundable": Option<bool>, loggable, retained;
        /// As in the quotation.
        refund_quote_type "refundQuoteType": Option<String>, loggable, retained;
        /// Echo: what a lost reply is found by.
        refund_offer_id "refundOfferId": Option<String>, loggable, retained;
        /// CashBackToOriginalPayment or Voucher.
        refund_method "refundMethod": Option<String>, loggable, retained;
        /// Null in every example.
        fast_confirmation "fastConfirmation": Option<bool>, loggable;
        /// When the airline is expected to confirm.
        expected_confirmation_date "expectedConfirmationDate": Option<Date>, loggable, retained;
        /// When the money is expected.
        expected_refund_date "expectedRefundDate": Option<Date>, loggable, retained;
        /// Per passenger.
        refund_tickets "refundTickets": Vec<RefundTicket>;
        /// Fare with ancillaries booked with it.
        refund_fare_amount "refundFareAmount": Option<FareAmount>, retained;
        /// Per post-ticketing ancillary order.
        refund_post_ticketing_service_amounts "refundPostTicketingServiceAmounts": Vec<PostTicketingAmount>, retained;
        /// Vouchers, when the method is Voucher.
        refund_vouchers "refundVouchers": Vec<RefundVoucher>;
        /// Atlas' fee.
        service_fee "serviceFee": Option<ServiceFee>, retained;
        /// The airline's rules.
        refund_rules "refundRules": Vec<RefundRule>;
        /// Older replies.
        currency "currency": Option<String>, loggable, retained;
        /// Older replies (invalid samples of 2025): kept as it came.
        refund_ancillaries_amount "refundAncillariesAmount": Option<Any>;
        /// Older replies.
        reference_information "referenceInformation": Option<ReferenceInformation>;
    }

    /// One refund.
    RefundOrder {
        /// Main order number.
        order_no "orderNo": Option<String>, loggable;
        /// The refund's number.
        refund_code "refundCode": Option<String>, loggable;
        /// 0 Atlas processing, 1 airline processing, 2 refunded, 3 airline refunding, 4 rejected, 5 fulfilled (card), 6 withdrawn.
        refund_status "refundStatus": Option<Code>, loggable;
        /// Free text when rejected.
        cancel_reason "cancelReason": Option<String>;
        /// The offer it was submitted with.
        refund_offer_id "refundOfferId": Option<String>, loggable;
        /// CashBackToOriginalPayment or Voucher.
        refund_method "refundMethod": Option<String>, loggable;
        /// AccurateQuote or CannotQuote.
        refund_quote_type "refundQuoteType": Option<String>, loggable;
        /// Display currency of this refund.
        display_currency "displayCurrency": Option<String>, loggable;
        /// When the airline is expected to confirm.
        expected_confirmation_date "expectedConfirmationDate": Option<Date>, loggable;
        /// When the money is expected.
        expected_refund_date "expectedRefundDate": Option<Date>, loggable;
        /// Per passenger.
        refund_tickets "refundTickets": Vec<RefundTicket>;
        /// Fare with ancillaries booked with it.
        refund_fare_amount "refundFareAmount": Option<FareAmount>;
        /// Per post-ticketing ancillary order.
        refund_post_ticketing_service_amounts "refundPostTicketingServiceAmounts": Vec<PostTicketingAmount>;
        /// Vouchers.
        refund_vouchers "refundVouchers": Vec<RefundVoucher>;
        /// Atlas' fee.
        service_fee "serviceFee": Option<ServiceFee>;
        /// The airline's rules.
        refund_rules "refundRules": Vec<RefundRule>;
        /// Paid back (2024 only).
        actual_refund_amount "actualRefundAmount": Option<Amount>, loggable;
        /// Older replies: currency of the amounts beside it.
        currency "currency": Option<String>, loggable;
        /// Older replies.
        original_total_fare_amount "originalTotalFareAmount": Option<Amount>, loggable;
        /// Older replies.
        original_total_ancillary_amount "originalTotalAncillaryAmount": Option<Amount>, loggable;
        /// Older replies.
        original_total_amount "originalTotalAmount": Option<Amount>, loggable;
        /// Older replies.
        airline_penalty_amount_for_fare "airlinePenaltyAmountForFare": Option<Amount>, loggable;
        /// Older replies.
        airline_penalty_amount_for_ancillaries "airlinePenaltyAmountForAncillaries": Option<Amount>, loggable;
        /// Older replies.
        airline_penalty_amount "airlinePenaltyAmount": Option<Amount>, loggable;
        /// Older replies.
        estimated_refund_amount "estimatedRefundAmount": Option<Amount>, loggable;
        /// Older replies.
        transaction_fee "transactionFee": Option<Amount>, loggable;
    }

    /// The refunds of an order.
    QueryRefundOrdersReply {
        /// Never null; older replies put one refund at the root, which becomes one element.
        refund_orders "refundOrders": Vec<RefundOrder>, never_null;
    }
}
