//! voidQuotation, void, queryVoidOrders (V26, mid 2026; tickets as recorded live 2026-08).

use super::message::message;
use super::value::{Code, Date, Number};
use super::{Amount, FareAmount, PostTicketingAmount, RefundTicket, ServiceFee};

message! {
    /// Asks whether an order can be voided. Read-only, needed before every void.
    VoidQuotationRequest {
        /// Main order number; the whole order is voided.
        order_no "orderNo": Option<String>, required, loggable;
    }

    /// Submits a void. It cannot be withdrawn.
    VoidRequest {
        /// Main order number.
        order_no "orderNo": Option<String>, required, loggable;
        /// The newest offer of voidQuotation.
        void_offer_id "voidOfferId": Option<String>, required, loggable;
    }

    /// Asks how voids stand.
    QueryVoidOrdersRequest {
        /// Main order number.
        order_no "orderNo": Option<String>, required, loggable;
        /// Narrows to one void.
        void_code "voidCode": Option<String>, loggable;
    }

    /// The airline's void window. The misspelt names are the vendor's.
    VoidWindow {
        /// The airline supports voids.
        support_void "supportVoid": Option<bool>, loggable;
        /// This order may be voided.
        allow_void "allowVoid": Option<bool>, loggable;
        /// Hours after issuing, presumably; the unit is undocumented.
        void_time_after_issure "voidTimeAfterIssure": Option<Number>, loggable;
        /// Minutes before departure, presumably; the unit is undocumented.
        void_time_before_depature "voidTimeBeforeDepature": Option<Number>, loggable;
        /// Same-day deadline; its format is undocumented, null when seen.
        same_day_deadline_time "sameDayDeadlineTime": Option<String>, loggable;
        /// Zone of the deadline; null when seen.
        same_day_timezone "sameDayTimezone": Option<String>, loggable;
    }

    /// The answer to a void quotation.
    VoidQuotationReply {
        /// Echo.
        order_no "orderNo": Option<String>, loggable;
        /// Whether the order can be voided: the field to trust.
        is_voidable "isVoidable": Option<bool>, loggable;
        /// For void; use the newest, at once.
        void_offer_id "voidOfferId": Option<String>, loggable;
        /// CashBackToOriginalPayment or Voucher.
        void_method "voidMethod": Option<String>, loggable;
        /// Automatic fulfilment.
        fast_confirmation "fastConfirmation": Option<bool>, loggable;
        /// When the airline is expected to confirm.
        expected_confirmation_date "expectedConfirmationDate": Option<Date>, loggable;
        /// When the money is expected; null live.
        expected_refund_date "expectedRefundDate": Option<Date>, loggable;
        /// Per passenger.
        void_tickets "voidTickets": Vec<RefundTicket>;
        /// Fare with ancillaries booked with it.
        void_fare_amount "voidFareAmount": Option<FareAmount>;
        /// Per post-ticketing ancillary order.
        void_post_ticketing_service_amounts "voidPostTicketingServiceAmounts": Vec<PostTicketingAmount>;
        /// Atlas' fee.
        service_fee "serviceFee": Option<ServiceFee>;
        /// The window.
        void_window "voidWindow": Option<VoidWindow>;
    }

    /// The answer to a submitted void.
    VoidReply {
        /// Echo.
        order_no "orderNo": Option<String>, loggable, retained;
        /// The void's number, `yyyyMM-NNNN` as seen; not guaranteed.
        void_code "voidCode": Option<String>, loggable, retained;
        /// 0 right after acceptance; see queryVoidOrders.
        void_status "voidStatus": Option<Code>, loggable, retained;
        /// Empty while open.
        cancel_reason "cancelReason": Option<String>;
        /// As in the quotation.
        is_voidable "isVoidable": Option<bool>, loggable, retained;
        /// Echo: what a lost reply is found by.
        void_offer_id "voidOfferId": Option<String>, loggable, retained;
        /// CashBackToOriginalPayment or Voucher.
        void_method "voidMethod": Option<String>, loggable, retained;
        /// Automatic fulfilment.
        fast_confirmation "fastConfirmation": Option<bool>, loggable;
        /// When the airline is expected to confirm.
        expected_confirmation_date "expectedConfirmationDate": Option<Date>, loggable, retained;
        /// When the money is expected.
        expected_refund_date "expectedRefundDate": Option<Date>, loggable, retained;
        /// Per passenger.
        void_tickets "voidTickets": Vec<RefundTicket>;
        /// Fare with ancillaries booked with it.
        void_fare_amount "voidFareAmount": Option<FareAmount>, retained;
        /// Per post-ticketing ancillary order.
        void_post_ticketing_service_amounts "voidPostTicketingServiceAmounts": Vec<PostTicketingAmount>, retained;
        /// Atlas' fee.
        service_fee "serviceFee": Option<ServiceFee>, retained;
    }

    /// One void.
    VoidOrder {
        /// Main order number.
        order_no "orderNo": Option<String>, loggable;
        /// The void's number.
        void_code "voidCode": Option<String>, loggable;
        /// 0 Atlas processing, 1 airline processing, 2 voided, 3 airline voiding, 4 rejected, 5 fulfilled (card), 6 withdrawn.
        void_status "voidStatus": Option<Code>, loggable;
        /// The offer it was submitted with.
        void_offer_id "voidOfferId": Option<String>, loggable;
        /// CashBackToOriginalPayment or Voucher.
        void_method "voidMethod": Option<String>, loggable;
        /// Free text when rejected.
        cancel_reason "cancelReason": Option<String>;
        /// When the airline is expected to confirm.
        expected_confirmation_date "expectedConfirmationDate": Option<Date>, loggable;
        /// When the money is expected.
        expected_refund_date "expectedRefundDate": Option<Date>, loggable;
        /// Per passenger.
        void_tickets "voidTickets": Vec<RefundTicket>;
        /// Fare with ancillaries booked with it.
        void_fare_amount "voidFareAmount": Option<FareAmount>;
        /// Per post-ticketing ancillary order.
        void_post_ticketing_service_amounts "voidPostTicketingServiceAmounts": Vec<PostTicketingAmount>;
        /// Atlas' fee.
        service_fee "serviceFee": Option<ServiceFee>;
        /// Named in prose, "when available"; not in the schema.
        actual_refund_amount "actualRefundAmount": Option<Amount>, loggable;
    }

    /// The voids of an order.
    QueryVoidOrdersReply {
        /// Never null; empty when none was submitted.
        void_orders "voidOrders": Vec<VoidOrder>, never_null;
    }
}
