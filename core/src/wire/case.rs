//! A case, as replies of the `case.*` operations have it: the library's own messages, not the vendor's.

use super::Amount;
use super::message::message;
use super::value::{Code, Instant, Number};

message! {
    /// What a case costs and gives back: decimal text in one currency.
    CaseMoney {
        /// Currency.
        currency "currency": Option<String>, loggable;
        /// What was paid, or the price of what is bought.
        paid "paid": Option<Amount>, loggable;
        /// The estimate: cash, before the service fee. Null when the airline decides.
        estimated_refund "estimatedRefund": Option<Amount>, loggable;
        /// The service fee.
        fee "fee": Option<Amount>, loggable;
        /// What came back, as the vendor says.
        actual_refund "actualRefund": Option<Amount>, loggable;
    }

    /// One step of a case: of each, at most one request that may have been executed leaves this machine.
    CaseStep {
        /// void, refund, order, pay, regenerate, stop, claim.
        name "name": Option<String>;
        /// pending, executed, not_executed, unknown.
        outcome "outcome": Option<String>, loggable;
        /// Requests sent or tried; each has its own intent.
        attempts "attempts": Option<Number>, loggable;
        /// When the last attempt that may have left was sent.
        sent_at "sentAt": Option<Instant>, loggable;
        /// The last change.
        at "at": Option<Instant>, loggable;
        /// The vendor's id of the request of that attempt.
        request_id "requestId": Option<String>, loggable;
    }

    /// What an outcome rests on.
    CaseEvidence {
        /// When.
        at "at": Option<Instant>, loggable;
        /// What was seen.
        what "what": Option<String>;
        /// strong, fair, weak, human.
        strength "strength": Option<String>, loggable;
    }

    /// What went wrong.
    CaseError {
        /// Stable error code, as in every error.
        code "code": Option<String>, loggable;
        /// The status number.
        status "status": Option<Number>, loggable;
        /// What happened.
        message "message": Option<String>, loggable;
        /// The vendor's code.
        vendor_status "vendorStatus": Option<Number>, loggable;
        /// Its name in the table of vendor codes.
        vendor_code "vendorCode": Option<String>, loggable;
    }

    /// A case: one refund, void, ancillary order, regenerated order, stop or claim, from the request to the final state.
    Case {
        /// Its id; ids sort by time.
        id "id": Option<String>, loggable;
        /// Your key.
        key "key": Option<String>;
        /// refund, void, cancel, ancillary, regenerate, stop, claim; pay for a direct payment.
        kind "kind": Option<String>, loggable;
        /// Of a cancel: the way taken, void or refund.
        via "via": Option<String>, loggable;
        /// The order.
        order_no "orderNo": Option<String>, loggable;
        /// Some passengers of the order, by position from 1; null for everybody, and where they are not known.
        passengers "passengers": Vec<Number>, loggable;
        /// The offer that was submitted: what a lost reply is found by.
        offer_id "offerId": Option<String>, loggable;
        /// The vendor's number of the result: refundCode, voidCode, or the new order's number.
        code "code": Option<String>, loggable;
        /// pending until the submit is settled, then executed, not_executed, or unknown.
        outcome "outcome": Option<String>, loggable;
        /// planned, quoting, sending, unknown, awaiting_payment, ticketing, ticketed, atlas_processing, airline_processing, refunding, refunded, rejected, fulfilled, withdrawn, stopped, stop_failed, claimed, cancelled, refused, needs_human.
        state "state": Option<String>, loggable;
        /// The vendor's own state code.
        vendor_code "vendorCode": Option<Code>, loggable;
        /// No further change is expected. Never true while the outcome is unknown.
        r#final "final": Option<bool>, loggable;
        /// Another client had submitted it; this case follows that submit.
        adopted "adopted": Option<bool>, loggable;
        /// Its effect was found at the vendor after the case had been closed.
        reopened "reopened": Option<bool>, loggable;
        /// It was purged: only id, key, kind, orderNo and outcome are left.
        purged "purged": Option<bool>, loggable;
        /// Until when an effect that was found absent is still looked for; null unless it is.
        watched_until "watchedUntil": Option<Instant>, loggable;
        /// Number of its last change, for changedSince of case.list.
        change "change": Option<Number>, loggable;
        /// What it costs and gives back.
        money "money": Option<CaseMoney>;
        /// The last moment for the next step.
        deadline "deadline": Option<Instant>, loggable;
        /// The vendor's field that says so.
        deadline_source "deadlineSource": Option<String>, loggable;
        /// When the vendor is asked again; null when nothing is due.
        next_due_at "nextDueAt": Option<Instant>, loggable;
        /// Opened.
        created_at "createdAt": Option<Instant>, loggable;
        /// Last changed.
        updated_at "updatedAt": Option<Instant>, loggable;
        /// The submits.
        steps "steps": Vec<CaseStep>, never_null;
        /// What the outcome rests on, oldest first.
        evidence "evidence": Vec<CaseEvidence>, never_null;
        /// What went wrong last.
        error "error": Option<CaseError>;
    }
}
