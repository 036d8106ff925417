//! The vendor's notifications (MR and NW, 2026; dropped ones of 2025 and 2022 as well).
//!
//! They are unsigned and delivered at best effort: they make a query due and prove nothing.

use super::message::message;
use super::shape::{Kind, Message, Shape};
use super::value::{Code, LocalTime};
use super::{Amount, PassengerTicket};

message! {
    /// order.ticketed: issuing is complete.
    TicketedEvent {
        /// The order.
        order_no "orderNo": Option<String>, loggable;
        /// 0, 1, 2, -3.
        order_status "orderStatus": Option<Code>, loggable;
        /// Passengers with their tickets.
        pax_ticket_infos "paxTicketInfos": Vec<PassengerTicket>;
    }

    /// order.void: a void was accepted, changed its state, or failed after ten automatic attempts.
    VoidEvent {
        /// The order.
        order_no "orderNo": Option<String>, loggable;
        /// The void.
        void_code "voidCode": Option<String>, loggable;
        /// As in queryVoidOrders.
        void_status "voidStatus": Option<Code>, loggable;
        /// Free text in some language.
        message "message": Option<String>;
    }

    /// A flight before or after a schedule change.
    ChangedSegment {
        /// Two-letter airline code.
        carrier "carrier": Option<String>, loggable;
        /// Flight number.
        flight_number "flightNumber": Option<String>, loggable;
        /// Departure airport, IATA.
        dep_airport "depAirport": Option<String>, loggable;
        /// Departure, airport-local.
        dep_time "depTime": Option<LocalTime>, loggable;
        /// Departure terminal.
        dep_terminal "depTerminal": Option<String>, loggable;
        /// Arrival airport, IATA.
        arr_airport "arrAirport": Option<String>, loggable;
        /// Arrival, airport-local.
        arr_time "arrTime": Option<LocalTime>, loggable;
        /// Arrival terminal.
        arr_terminal "arrTerminal": Option<String>, loggable;
        /// Flown under another carrier's number.
        code_share "codeShare": Option<bool>, loggable;
        /// 1 outbound, 2 return.
        direction "direction": Option<Code>, loggable;
    }

    /// order.schedulechange: the airline changed or cancelled flights.
    ScheduleChangeEvent {
        /// The order.
        order_no "orderNo": Option<String>, loggable;
        /// 1 changed, 2 cancelled.
        schedule_change_type "scheduleChangeType": Option<Code>, loggable;
        /// Before this change.
        previous_segs "previousSegs": Vec<ChangedSegment>;
        /// After it; empty when cancelled.
        revised_segs "revisedSegs": Vec<ChangedSegment>;
        /// As booked; absent before 2026.
        original_segs "originalSegs": Vec<ChangedSegment>;
    }

    /// email.schedulechange and email.all: the airline wrote a mail.
    EmailEvent {
        /// The order.
        order_no "orderNo": Option<String>, loggable;
        /// Subject.
        email_subject "emailSubject": Option<String>;
        /// Link, valid for ten minutes.
        email_link "emailLink": Option<String>;
        /// Received; sources disagree whether UTC or UTC+8, so it stays as it came.
        email_receiving_date "emailReceivingDate": Option<String>, loggable;
        /// The vendor's id of the mail.
        unique_code "uniqueCode": Option<String>, loggable;
        /// Schedule change, Receipt …; not guaranteed.
        email_category "emailCategory": Option<String>, loggable;
        /// Sender.
        from "from": Option<String>;
        /// Receiver.
        to "to": Option<String>;
        /// Stored; the zone is as doubtful as that of receiving.
        create_time "createTime": Option<String>, loggable;
    }

    /// abnormal.cancelled: a booking was cancelled and nobody at Atlas did it.
    AbnormalCancelledEvent {
        /// The order.
        order_no "orderNo": Option<String>, loggable;
        /// `FULLY` seen.
        vendor_refund_information "vendorRefundInformation": Option<String>, loggable;
    }

    /// airline.status: an airline is Active, in Maintenance or Inactive.
    AirlineStatusEvent {
        /// The airlines.
        airline "airline": Vec<String>, loggable;
        /// Active, Maintenance, Inactive.
        airline_status "airlineStatus": Option<String>, loggable;
    }

    /// order.cancelled: issuing failed, seen once in a guide.
    CancelledEvent {
        /// The order.
        order_no "orderNo": Option<String>, loggable;
        /// Why.
        error_code "errorCode": Option<Code>, loggable;
        /// Why.
        error_message "errorMessage": Option<String>;
    }

    /// order.addonComplete: an ancillary order was issued (2025).
    AddonCompleteEvent {
        /// The ancillary order.
        addon_order_no "addonOrderNo": Option<String>, loggable;
        /// The main order.
        original_order_no "originalOrderNo": Option<String>, loggable;
        /// 0, 1, 2, -3.
        order_status "orderStatus": Option<Code>, loggable;
        /// Passengers with their ancillaries.
        pax_ticket_infos "paxTicketInfos": Vec<PassengerTicket>;
    }

    /// order.refundComplete: a refund is done (2025 and before; also sent flat and without a type).
    RefundCompleteEvent {
        /// The order.
        order_no "orderNo": Option<String>, loggable;
        /// The refund; not in the sample.
        refund_code "refundCode": Option<String>, loggable;
        /// As in queryRefundOrders.
        refund_status "refundStatus": Option<Code>, loggable;
        /// Currency.
        currency "currency": Option<String>, loggable;
        /// Fare paid.
        original_total_fare "originalTotalFare": Option<Amount>, loggable;
        /// Ancillaries paid.
        original_total_ancillary_amount "originalTotalAncillaryAmount": Option<Amount>, loggable;
        /// Paid in all.
        original_total_amount "originalTotalAmount": Option<Amount>, loggable;
        /// Kept of the fare.
        airline_penalty_amount_for_fare "airlinePenaltyAmountForFare": Option<Amount>, loggable;
        /// Kept of the ancillaries.
        airline_penalty_amount_for_ancillaries "airlinePenaltyAmountForAncillaries": Option<Amount>, loggable;
        /// Kept in all; the sample's arithmetic is inconsistent.
        airline_penalty_amount "airlinePenaltyAmount": Option<Amount>, loggable;
        /// Paid back.
        final_refund_amount "finalRefundAmount": Option<Amount>, loggable;
        /// Atlas' fee.
        transaction_fee "transactionFee": Option<Amount>, loggable;
    }

    /// An event that the contract does not know: everything is kept as it came.
    UnknownEvent {
        /// The order, if it names one.
        order_no "orderNo": Option<String>, loggable;
    }

    /// What parseWebhook answers.
    WebhookReply {
        /// The vendor's type; null for flat events that have none.
        r#type "type": Option<String>, loggable;
        /// ticketed, void, schedule_change, schedule_change_email, email, abnormal_cancelled, airline_status,
        /// cancelled, addon_complete, refund_complete, or unknown.
        kind "kind": Option<String>, loggable;
        /// The order that it is about.
        order_no "orderNo": Option<String>, loggable;
        /// voidCode or refundCode.
        code "code": Option<String>, loggable;
        /// The state it claims: voidStatus, refundStatus, orderStatus, scheduleChangeType or airlineStatus.
        state "state": Option<Code>, loggable;
        /// The client id in the payload; not a secret and no proof of anything.
        cid "cid": Option<String>, loggable;
        /// The vendor's id; most events have none.
        notification_id "notificationId": Option<String>, loggable;
        /// Equal for two deliveries of the same event.
        dedupe_key "dedupeKey": Option<String>, loggable;
        /// The operation that confirms it, or null.
        hint "hint": Option<String>, loggable;
        /// The payload.
        data "data": Option<serde_json::Value> => Kind::Any;
    }
}

/// One type of event.
pub(crate) struct EventType {
    pub name: &'static str,
    pub kind: &'static str,
    pub shape: &'static Shape,
    /// The field with the vendor's number of the void, refund or mail; empty if there is none.
    pub code: &'static str,
    /// The field with the state; empty if there is none.
    pub state: &'static str,
    /// The operation that confirms the event.
    pub hint: Option<&'static str>,
}

impl EventType {
    /// Whether order, code and state identify such an event: two deliveries that agree in them are the same.
    pub fn is_identified_by_state(&self) -> bool {
        matches!(self.kind, "ticketed" | "void" | "cancelled" | "addon_complete" | "refund_complete")
    }
}

const fn event(
    name: &'static str,
    kind: &'static str,
    shape: &'static Shape,
    code: &'static str,
    state: &'static str,
    hint: &'static str,
) -> EventType {
    EventType { name, kind, shape, code, state, hint: if hint.is_empty() { None } else { Some(hint) } }
}

const EVENTS: &[EventType] = &[
    event("order.ticketed", "ticketed", TicketedEvent::SHAPE, "", "orderStatus", "queryOrderDetails"),
    event("order.void", "void", VoidEvent::SHAPE, "voidCode", "voidStatus", "queryVoidOrders"),
    event(
        "order.schedulechange",
        "schedule_change",
        ScheduleChangeEvent::SHAPE,
        "",
        "scheduleChangeType",
        "queryOrderDetails",
    ),
    event(
        "order.scheduleChange",
        "schedule_change",
        ScheduleChangeEvent::SHAPE,
        "",
        "scheduleChangeType",
        "queryOrderDetails",
    ),
    event("email.schedulechange", "schedule_change_email", EmailEvent::SHAPE, "", "", "queryOrderDetails"),
    event("email.all", "email", EmailEvent::SHAPE, "uniqueCode", "", ""),
    event("abnormal.cancelled", "abnormal_cancelled", AbnormalCancelledEvent::SHAPE, "", "", "queryOrderDetails"),
    event("airline.status", "airline_status", AirlineStatusEvent::SHAPE, "", "airlineStatus", ""),
    event("order.cancelled", "cancelled", CancelledEvent::SHAPE, "", "errorCode", "queryOrderDetails"),
    event("order.addonComplete", "addon_complete", AddonCompleteEvent::SHAPE, "", "orderStatus", "queryOrderDetails"),
    event(
        "order.refundComplete",
        "refund_complete",
        RefundCompleteEvent::SHAPE,
        "refundCode",
        "refundStatus",
        "queryRefundOrders",
    ),
    event(
        "order.refundCompleted",
        "refund_complete",
        RefundCompleteEvent::SHAPE,
        "refundCode",
        "refundStatus",
        "queryRefundOrders",
    ),
];

const UNKNOWN: &EventType = &event("", "unknown", UnknownEvent::SHAPE, "", "", "");

/// The event type by its name, or by the refundStatus of the flat refund event, which has no name.
pub(crate) fn event_shape(name: Option<&str>, has_refund_status: bool) -> &'static EventType {
    let name = match name {
        Some(name) => name,
        None if has_refund_status => "order.refundComplete",
        None => return UNKNOWN,
    };
    EVENTS.iter().find(|e| e.name == name).unwrap_or(UNKNOWN)
}
