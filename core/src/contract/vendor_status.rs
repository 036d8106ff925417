//! THE table of the vendor's status codes: what each means, whether it happened, what to do.
//!
//! The same number means different things at different endpoints, hence the families. Codes are
//! those of the vendor's error pages (2026-07), the refund and void schemas (2026-04 and mid 2026)
//! and the ancillary schema (2026-04). A code that is not listed is never guessed at: on a submit it
//! leaves the outcome unknown.

use crate::error::Advice::{self, *};

/// Which list of codes an operation answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Only the general codes.
    General,
    Refund,
    Void,
    AncillarySearch,
    AncillaryOrder,
    Regenerate,
    Pay,
    /// queryOrderDetails and extractPnr.
    Lookup,
}

/// What a code says about a submit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The vendor said no: it did not happen.
    Refused,
    /// It happened before, to this very order.
    Already,
    /// Something of the kind is there; whose, and for whom, is not said.
    Exists,
    /// It is being processed: unknown until queried.
    InProgress,
    /// The vendor does not know either.
    Uncertain,
    /// Credentials or permissions: it did not happen.
    Auth,
    /// Too many requests: it did not happen.
    RateLimited,
    /// There is no such order (lookups only).
    NotFound,
}

/// One code of one family.
#[derive(Debug)]
pub(crate) struct Row {
    pub code: i64,
    /// The word in `error.vendorCode`.
    pub word: &'static str,
    pub class: Class,
    pub advice: Advice,
    /// What happened and what to do now.
    pub help: &'static str,
}

const fn row(code: i64, word: &'static str, class: Class, advice: Advice, help: &'static str) -> Row {
    Row { code, word, class, advice, help }
}

use Class::*;

/// What the vendor means by a code at an endpoint of that family; general codes hold everywhere.
pub(crate) fn find(family: Family, code: i64) -> Option<&'static Row> {
    rows(family).chain(GENERAL).find(|row| row.code == code)
}

/// The codes of a family, without the general ones.
pub(crate) fn rows(family: Family) -> impl Iterator<Item = &'static Row> {
    let (own, shared): (&[Row], &[Row]) = match family {
        Family::General => (&[], &[]),
        Family::Refund => (REFUND, &[]),
        Family::Void => (VOID, &[]),
        Family::AncillarySearch => (ANCILLARY_SEARCH, &[]),
        Family::AncillaryOrder => (ANCILLARY_ORDER, BOARDING),
        Family::Regenerate => (REGENERATE, BOARDING),
        Family::Pay => (PAY, BOARDING),
        Family::Lookup => (LOOKUP, &[]),
    };
    own.iter().chain(shared)
}

/// Codes that any endpoint may answer.
pub(crate) const GENERAL: &[Row] = &[
    row(-1, "vendor_error", Uncertain, Retry, "The vendor reports an unspecified error."),
    row(2, "vendor_system_error", Uncertain, Retry, "The vendor reports a system error."),
    row(100, "missing_data", Refused, FixRequest, "Mandatory data is missing; complete the request."),
    row(429, "request_limit", RateLimited, Wait, "The vendor's request limit is reached; wait before calling again."),
    row(
        900,
        "unauthorized",
        Auth,
        ContactSupport,
        "The credentials, the account's state or a feature that is not enabled for it; ask Atlas before changing keys.",
    ),
    row(901, "bad_format", Refused, FixRequest, "The vendor could not read the request's format; correct it."),
    row(
        902,
        "access_denied",
        Auth,
        ContactSupport,
        "Access is denied: another account's order, or a missing permission.",
    ),
    row(
        9999,
        "vendor_internal_error",
        Uncertain,
        Retry,
        "The vendor reports an internal error; it also does so for requests of a wrong shape.",
    ),
];

const REFUND: &[Row] = &[
    row(
        801,
        "order_not_found",
        Refused,
        FixRequest,
        "No such order for a refund, or its passengers and flights do not match: check the main order number, then the list.",
    ),
    row(802, "child_alone", Refused, FixRequest, "Children would remain alone; include them."),
    row(
        803,
        "already_in_refund",
        Exists,
        Reconcile,
        "Some of these passengers and flights are in a refund already: whose it is, its list says.",
    ),
    row(
        805,
        "offer_expired",
        Refused,
        Requote,
        "The offer has expired; quote again, look at the amount, and submit the new offer.",
    ),
    row(807, "passenger_not_found", Refused, FixRequest, "A passenger does not exist; take the names from the order."),
    row(809, "not_ticketed", Refused, Wait, "The order is not ticketed yet; wait until it is."),
    row(810, "illegal_parameter", Refused, FixRequest, "A parameter is illegal; the vendor's message names it."),
    row(
        811,
        "incomplete_itinerary",
        Refused,
        FixRequest,
        "The itinerary is incomplete or partly flown; give every flight, or ask the airline.",
    ),
    row(
        812,
        "passenger_mismatch",
        Refused,
        FixRequest,
        "A passenger does not match the order; take the names from the order.",
    ),
    row(
        814,
        "submission_in_progress",
        InProgress,
        Reconcile,
        "An earlier submission is being processed; query it, do not submit again.",
    ),
    row(815, "ticket_not_found", Refused, FixRequest, "The ticket was not found."),
    row(816, "already_submitted", Exists, Reconcile, "A refund was submitted already; its list says whose."),
    row(817, "already_applied", Exists, Reconcile, "An Atlas refund was applied for already; its list says whose."),
    row(818, "claim_already_applied", Exists, Reconcile, "A refund claim was made already; its list says whose."),
    row(820, "ticket_used", Refused, GiveUp, "The ticket is used."),
    row(821, "refund_deadline_exceeded", Refused, GiveUp, "The refund deadline has passed."),
    row(822, "void_deadline_exceeded", Refused, GiveUp, "The void deadline has passed; quote a refund instead."),
    row(823, "void_needs_all_passengers", Refused, FixRequest, "A void must cover all passengers."),
    row(824, "ancillary_order_given", Refused, FixRequest, "This is an ancillary order; use the main order number."),
    row(905, "too_frequent", Refused, Wait, "Submitted too often; query the state, wait, then submit."),
    row(
        8041,
        "segment_not_found",
        Refused,
        FixRequest,
        "A flight is not in this order; take the flights from the order.",
    ),
];

const VOID: &[Row] = &[
    row(801, "order_not_found", Refused, FixRequest, "No such order for a void; check the main order number."),
    row(
        803,
        "already_in_void",
        Exists,
        Reconcile,
        "A void or refund exists for this order already; its list says whose.",
    ),
    row(
        805,
        "offer_expired",
        Refused,
        Requote,
        "The offer has expired; quote the void again and submit the new offer.",
    ),
    row(808, "not_voidable", Refused, GiveUp, "The airline's policy does not allow a void; quote a refund."),
    row(809, "not_ticketed", Refused, Wait, "The order is not ticketed yet; wait until it is."),
    row(810, "illegal_parameter", Refused, FixRequest, "A parameter is illegal; the vendor's message names it."),
    row(
        814,
        "submission_in_progress",
        InProgress,
        Reconcile,
        "An earlier submission is being processed; query it, do not submit again.",
    ),
    row(815, "ticket_not_found", Refused, FixRequest, "The ticket was not found."),
    row(816, "already_submitted", Exists, Reconcile, "A void was submitted already; its list says whose."),
    row(817, "already_applied", Exists, Reconcile, "A void was submitted already; its list says whose."),
    row(818, "claim_already_applied", Exists, Reconcile, "A void was submitted already; its list says whose."),
    row(820, "ticket_used", Refused, GiveUp, "The ticket is used."),
    row(821, "refund_deadline_exceeded", Refused, GiveUp, "The refund deadline has passed."),
    row(822, "void_deadline_exceeded", Refused, GiveUp, "The void deadline has passed; quote a refund instead."),
    row(823, "void_needs_all_passengers", Refused, FixRequest, "A void must cover all passengers."),
    row(824, "ancillary_order_given", Refused, FixRequest, "This is an ancillary order; use the main order number."),
    row(841, "payment_method_not_voidable", Refused, GiveUp, "This way of payment cannot be voided; quote a refund."),
    row(843, "void_not_supported", Refused, GiveUp, "Atlas does not void this airline or route; quote a refund."),
    row(905, "too_frequent", Refused, Wait, "Submitted too often; query the state, wait, then submit."),
];

const ANCILLARY_SEARCH: &[Row] = &[
    row(117, "not_ticketed", Refused, Wait, "The order is not ticketed yet; wait until it is."),
    row(118, "airline_not_supported", Refused, GiveUp, "This airline sells no ancillaries here."),
    row(119, "infant_in_order", Refused, GiveUp, "Orders with infants cannot buy ancillaries."),
    row(120, "ancillaries_closed", Refused, GiveUp, "The sale is closed for this flight."),
    row(121, "too_close_to_departure", Refused, GiveUp, "Departure is less than 24 hours away."),
    row(125, "search_timeout", Refused, Retry, "The search timed out; try again."),
];

const ANCILLARY_ORDER: &[Row] = &[
    row(6, "price_changed", Refused, Requote, "The price has changed; search again."),
    row(301, "session_expired", Refused, Requote, "The session is unknown or expired; search again."),
    row(
        307,
        "illegal_parameter",
        Refused,
        FixRequest,
        "A parameter is illegal; on connections every flight needs the same product.",
    ),
    row(308, "price_changed", Refused, Requote, "The price has changed; search again."),
    row(309, "product_not_found", Refused, Requote, "The product is unknown or stale; search again."),
    row(310, "infant_not_allowed", Refused, GiveUp, "Infants are not allowed."),
    row(312, "too_many_seats", Refused, FixRequest, "Too many seats."),
    row(313, "sold_out", Refused, GiveUp, "Sold out."),
    row(316, "airline_timeout", Uncertain, Reconcile, "The airline did not answer in time."),
    row(317, "airline_refused", Refused, ContactSupport, "The airline refused."),
    row(324, "airline_system_issue", Uncertain, Reconcile, "The airline's system has a problem."),
    row(327, "passenger_data_insufficient", Refused, FixRequest, "The passenger data does not satisfy the airline."),
    row(329, "no_payment_method", Refused, FixConfig, "The account has no way to pay in this currency."),
    row(330, "in_progress", Uncertain, Reconcile, "An operation is in progress."),
    row(501, "ancillary_not_allowed", Refused, ContactSupport, "Nothing can be added to this order."),
    row(502, "price_increased", Refused, Requote, "The price went up; search again and look at it."),
    row(
        503,
        "wrong_selection",
        Refused,
        FixRequest,
        "The selection is wrong: one bag per type, passenger and flight, the same on connections, from the last search.",
    ),
    row(504, "has_baggage_already", Refused, GiveUp, "The original order has baggage already."),
    row(
        505,
        "bought_already",
        Exists,
        Reconcile,
        "Baggage was bought after ticketing already: the order's list says which.",
    ),
    row(506, "infant_in_order", Refused, GiveUp, "Orders with infants cannot buy ancillaries."),
    row(507, "too_close_to_departure", Refused, GiveUp, "Departure is less than 24 hours away."),
    row(508, "no_payment_method", Refused, FixConfig, "The account has no way to pay in this currency."),
    row(509, "illegal_parameter", Refused, FixRequest, "A parameter is illegal; the vendor's message names it."),
];

/// Faults of the passengers, which ordering, regenerating and paying report alike.
const BOARDING: &[Row] = &[
    row(407, "passenger_data_missing", Refused, FixRequest, "Passenger data is missing."),
    row(408, "child_alone", Refused, FixRequest, "A child cannot board alone."),
    row(409, "baggage_segment_mismatch", Refused, FixRequest, "Baggage and flights do not match."),
    row(410, "bad_contact", Refused, FixRequest, "The contact's format is wrong."),
];

const REGENERATE: &[Row] = &[
    row(300, "bad_session", Refused, GiveUp, "The session's data is bad; book anew."),
    row(301, "session_expired", Refused, GiveUp, "The original booking's session has expired; book anew."),
    row(302, "flight_gone", Refused, GiveUp, "The flight is gone; search anew."),
    row(303, "airline_closed", Refused, GiveUp, "The airline is closed."),
    row(304, "verify_failed", Refused, Wait, "Verification failed; try once more later."),
    row(305, "not_sold", Refused, GiveUp, "This itinerary is no longer sold; search anew."),
    row(306, "cabin_changed", Refused, GiveUp, "The cabin has changed; search anew."),
    row(307, "illegal_parameter", Refused, FixRequest, "A parameter is illegal; the vendor's message names it."),
    row(308, "price_changed", Refused, Requote, "The price has changed; regenerate again or book anew."),
    row(309, "product_not_found", Refused, GiveUp, "An ancillary is unknown or stale; book anew."),
    row(310, "infant_not_allowed", Refused, GiveUp, "Infants are not allowed."),
    row(311, "seat_check_failed", Refused, GiveUp, "The seats could not be confirmed."),
    row(312, "too_many_seats", Refused, GiveUp, "Too many seats."),
    row(313, "fare_sold_out", Refused, GiveUp, "The fare is sold out; search anew."),
    row(
        314,
        "ticketing_or_ticketed",
        Refused,
        Reconcile,
        "The original is being ticketed or is ticketed: query it, do not regenerate or pay again.",
    ),
    row(315, "not_enough_seats", Refused, GiveUp, "Not enough seats."),
    row(316, "airline_timeout", Uncertain, Reconcile, "The airline did not answer in time."),
    row(317, "airline_refused", Refused, GiveUp, "The airline refused."),
    row(
        318,
        "duplicate_booking",
        Uncertain,
        Reconcile,
        "The vendor takes it for a duplicate: look at duplicateOrders, create nothing else.",
    ),
    row(319, "flight_changed", Refused, GiveUp, "The flight's data has changed; search anew."),
    row(320, "seat_taken", Refused, FixRequest, "A seat is taken."),
    row(321, "contact_blocked", Refused, FixRequest, "The contact's e-mail is blocked by the airline."),
    row(322, "seat_price_changed", Refused, FixRequest, "A seat's price has changed."),
    row(323, "bad_contact", Refused, FixRequest, "The contact's e-mail is malformed."),
    row(324, "airline_system_issue", Uncertain, Reconcile, "The airline's system has a problem."),
    row(325, "passenger_refused", Refused, GiveUp, "The airline will not carry a passenger."),
    row(326, "airline_balance", Refused, FixConfig, "The balance at the airline does not suffice."),
    row(327, "passenger_data_insufficient", Refused, FixRequest, "The passenger data does not satisfy the airline."),
    row(328, "seat_unavailable", Refused, FixRequest, "A seat is unavailable."),
    row(329, "no_payment_method", Refused, FixConfig, "The account has no way to pay in this currency."),
    row(330, "in_progress", Uncertain, Reconcile, "An operation is in progress."),
    row(6051, "passenger_blacklisted", Refused, GiveUp, "A passenger is on a government's list."),
];

const PAY: &[Row] = &[
    row(400, "illegal_parameter", Refused, FixRequest, "A parameter is illegal; the vendor's message names it."),
    row(
        401,
        "payment_deadline_passed",
        Refused,
        GiveUp,
        "The payment deadline has passed; regenerate the order or book anew.",
    ),
    row(
        402,
        "not_payable",
        Uncertain,
        Reconcile,
        "The order's state does not allow a payment, perhaps because it is paid: query it, never pay again.",
    ),
    row(403, "payment_method_unsupported", Refused, FixRequest, "This way of payment is not supported."),
    row(404, "already_paid", Already, AlreadyDone, "The order is paid; query it, never pay again."),
    row(
        405,
        "illegal_state",
        Uncertain,
        Reconcile,
        "The order's state does not allow a payment, perhaps because it is paid: query it, never pay again.",
    ),
    row(406, "payment_in_progress", InProgress, Reconcile, "A payment is running; query the order, never pay again."),
    row(
        411,
        "payment_error",
        Uncertain,
        Reconcile,
        "The payment failed in the account or gateway; query the order and the balance first.",
    ),
    row(412, "no_payment_method", Refused, FixConfig, "The account has no way to pay."),
    row(413, "card_unsupported", Refused, FixRequest, "This card brand is not supported."),
    row(414, "card_differs", Refused, FixRequest, "The card differs from the one named when ordering."),
    row(415, "order_not_confirmed", Refused, FixRequest, "The order must be confirmed first."),
    row(
        615,
        "paid_pnr_outstanding",
        Already,
        Wait,
        "It is paid, the airline's booking number is outstanding: wait, never pay again.",
    ),
];

const LOOKUP: &[Row] = &[
    row(701, "several_match", Refused, FixRequest, "Several orders match; add a passenger or flight."),
    row(702, "pnr_and_carrier_needed", Refused, FixRequest, "The airline PNR and the carrier are both needed."),
    row(
        703,
        "nothing_found",
        NotFound,
        FixRequest,
        "Nothing was found; right after an order was made, wait and ask again.",
    ),
    row(704, "parameters_contradict", Refused, FixRequest, "The parameters do not belong to one order."),
    row(705, "lookup_timeout", Refused, Retry, "The look-up timed out; try again."),
    row(800, "order_not_found", NotFound, FixRequest, "There is no such order; check the number."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_one_meaning_in_a_family() {
        for family in [
            Family::General,
            Family::Refund,
            Family::Void,
            Family::AncillarySearch,
            Family::AncillaryOrder,
            Family::Regenerate,
            Family::Pay,
            Family::Lookup,
        ] {
            let mut codes: Vec<i64> = rows(family).chain(GENERAL).map(|row| row.code).collect();
            let all = codes.len();
            codes.sort_unstable();
            codes.dedup();
            assert_eq!(codes.len(), all, "{family:?}");
        }
    }

    /// The table of outcomes of submits, as specified: by code, written by hand.
    #[test]
    fn a_code_at_a_submit_has_the_class_that_was_specified() {
        let refund = [801, 802, 805, 807, 809, 810, 811, 812, 815, 820, 821, 822, 823, 824, 8041, 905];
        let void = [801, 805, 808, 809, 810, 815, 820, 821, 822, 823, 824, 841, 843, 905];
        let order = [
            6, 301, 307, 308, 309, 310, 312, 313, 317, 327, 329, 407, 408, 409, 410, 501, 502, 503, 504, 506, 507, 508,
            509,
        ];
        let regenerate: Vec<i64> =
            (300..=315).chain([317]).chain(319..=323).chain(325..=329).chain(407..=410).chain([6051]).collect();
        let pay = [400, 401, 403, 407, 408, 409, 410, 412, 413, 414, 415];
        type Codes<'c> = &'c [i64];
        let tables: [(Family, Codes<'_>, Codes<'_>, Codes<'_>, Codes<'_>); 6] = [
            (Family::Refund, &refund, &[803, 816, 817, 818], &[], &[814]),
            (Family::Void, &void, &[803, 816, 817, 818], &[], &[814]),
            (Family::AncillaryOrder, &order, &[505], &[], &[]),
            (Family::Regenerate, &regenerate, &[], &[], &[]),
            (Family::Pay, &pay, &[], &[404, 615], &[406]),
            (Family::General, &[], &[], &[], &[]),
        ];
        for (family, refused, exists, already, in_progress) in tables {
            for code in (-10..10_000).filter(|code| *code != 0) {
                let wanted = match code {
                    100 | 901 => Some(Class::Refused),
                    900 | 902 => Some(Class::Auth),
                    429 => Some(Class::RateLimited),
                    code if refused.contains(&code) => Some(Class::Refused),
                    code if exists.contains(&code) => Some(Class::Exists),
                    code if already.contains(&code) => Some(Class::Already),
                    code if in_progress.contains(&code) => Some(Class::InProgress),
                    _ => None,
                };
                let found = find(family, code).map(|row| row.class).filter(|class| *class != Class::Uncertain);
                assert_eq!(found, wanted, "{family:?} {code}");
            }
        }
    }
}
