//! Cases: what the `case.*` operations take and give. These are the library's own messages, not the vendor's.

use super::shape::{Kind, Rule, message};
use super::value::{Code, Instant, Number};
use super::{Amount, ConnectInfo, CreditCard, FlightRequest, ManageMyBooking};
use serde_json::Value as Any;

message! {
    /// What must hold before money moves. A case that does not fit is refused, and nothing is sent.
    CaseExpect {
        /// Currency of the amounts below; the offer must be in it.
        currency "currency": Option<String>;
        /// Least cash to come back, after the service fee.
        min_refund "minRefund": Option<Amount>;
        /// Largest service fee.
        max_fee "maxFee": Option<Amount>;
        /// Largest price of what is bought, with the fee.
        max_price "maxPrice": Option<Amount>;
        /// A voucher instead of cash will do. Default false.
        accept_voucher "acceptVoucher": Option<bool>;
        /// An offer without an estimate will do (CannotQuote: the airline decides). Default false.
        accept_unquoted "acceptUnquoted": Option<bool>;
    }

    /// A product to buy after ticketing.
    CaseProduct {
        /// From postBookingAncillarySearch.
        product_code "productCode": Option<String>, required;
        /// Who, as `FAMILY/GIVEN`; everyone (but infants) if not given.
        name "name": Option<String>;
        /// On which segment, from 1; on every one if not given.
        segment_index "segmentIndex": Option<Number>;
    }

    /// How to pay. The card is sent and forgotten, never stored: give it again when a case is resumed.
    CasePayment {
        /// 1 deposit, 3 VCC, 4 BYOA, 5 MoR.
        payment_method "paymentMethod": Option<Code>, required;
        /// For 3 and 5.
        credit_card "creditCard": Option<CreditCard>;
        /// Brand of the card, which an ancillary order wants for MoR.
        card_type "cardType": Option<String>;
    }

    /// Starts a case, or resumes the one with this key.
    CaseOpenRequest {
        /// refund, void, cancel (void while the window is open, else refund), ancillary, regenerate, stop, claim.
        kind "kind": Option<String>, required;
        /// The order; not for claim.
        order_no "orderNo": Option<String>;
        /// Your own idempotency key: the same key and content mean the same case for ever.
        key "key": Option<String>, required;
        /// Refund: 0 involuntary, 1 voluntary. Default 1.
        reason "reason": Option<Code>;
        /// Refund: who, as `FAMILY/GIVEN` {name}, {lastName, firstName} or a position from 1; everyone if not given. Ancillary: who buys. Claim: as in pnrClaim.
        passengers "passengers": Vec<Any>;
        /// An offer that this store's client was given not long ago; a fresh one is asked for if not given.
        offer_id "offerId": Option<String>;
        /// Ancillary: what to buy.
        products "products": Vec<CaseProduct>;
        /// Ancillary and regenerate: how to pay. Without it the case stops at awaiting_payment.
        payment "payment": Option<CasePayment>;
        /// Refuses before money moves.
        expect "expect": Option<CaseExpect>;
        /// The id of an earlier case on this order that may have been executed after all; opens this one all the same.
        after "after": Option<String>;
        /// Claim: as in pnrClaim.
        mmb "mmb": Option<ManageMyBooking>;
        /// Claim: outbound flights, as in pnrClaim.
        from_segments "fromSegments": Vec<FlightRequest>;
        /// Claim: return flights, as in pnrClaim.
        ret_segments "retSegments": Vec<FlightRequest>;
        /// Claim: contact, as in pnrClaim.
        connect_info "connectInfo": Option<ConnectInfo>;
    }

    /// Asks what a void and what a refund would give back. Submits nothing.
    CasePlanRequest {
        /// Main order number.
        order_no "orderNo": Option<String>, required;
        /// Who, as in case.open; everyone if not given. For some there is no void.
        passengers "passengers": Vec<Any>;
        /// Of a refund: 0 involuntary, 1 voluntary. Default 1.
        reason "reason": Option<Code>;
    }

    /// One way of giving an order back.
    CaseWay {
        /// It can be done.
        possible "possible": Option<bool>;
        /// The offer of the quotation.
        offer_id "offerId": Option<String>;
        /// What it costs and gives back.
        money "money": Option<CaseMoney>;
        /// The last moment, if the vendor says one.
        deadline "deadline": Option<Instant>;
        /// The vendor's field that says so.
        deadline_source "deadlineSource": Option<String>;
        /// AccurateQuote, CannotQuote.
        quote_type "quoteType": Option<String>;
        /// CashBackToOriginalPayment or Voucher.
        method "method": Option<String>;
        /// Why it cannot be done.
        error "error": Option<CaseError>;
    }

    /// Both ways, and which is better.
    CasePlanReply {
        /// The order.
        order_no "orderNo": Option<String>;
        /// It has tickets, so that it can be given back.
        ticketed "ticketed": Option<bool>;
        /// By a void; null for some passengers.
        void "void": Option<CaseWay>;
        /// By a refund of those asked for.
        refund "refund": Option<CaseWay>;
        /// void, refund, or null if neither can be done.
        better "better": Option<String>;
        /// Why.
        reason "reason": Option<String>;
    }

    /// Names a case.
    CaseGetRequest rules [Rule::AnyOf(&[&["id"], &["key"]])] {
        /// The case's id.
        id "id": Option<String>;
        /// Your key.
        key "key": Option<String>;
    }

    /// Lists cases, oldest first.
    CaseListRequest {
        /// Only open ones (true) or only final ones (false).
        open "open": Option<bool>;
        /// Of this order.
        order_no "orderNo": Option<String>;
        /// Of this kind.
        kind "kind": Option<String>;
        /// After the case with this id: `next` of the page before.
        after "after": Option<String>;
        /// 1 to 500. Default 100.
        limit "limit": Option<Number> => Kind::Int;
    }

    /// A page of cases.
    CaseListReply {
        /// The cases.
        cases "cases": Vec<Case>, never_null;
        /// Give it as `after` for the next page; null at the end.
        next "next": Option<String>;
    }

    /// Asks the vendor now what became of a case, or of all whose outcome is unknown. Submits nothing.
    CaseReconcileRequest rules [Rule::AnyOf(&[&["id"], &["key"], &["all"]])] {
        /// The case's id.
        id "id": Option<String>;
        /// Your key.
        key "key": Option<String>;
        /// All cases whose outcome is unknown.
        all "all": Option<bool>;
    }

    /// Follows one case or all open ones. Submits nothing.
    CaseFollowRequest rules [Rule::AnyOf(&[&["id"], &["key"], &["all"]])] {
        /// The case's id.
        id "id": Option<String>;
        /// Your key.
        key "key": Option<String>;
        /// All open cases.
        all "all": Option<bool>;
        /// step: what is due now and the budget allows. final: until nothing is open or the time is up. Default step.
        until "until": Option<String>;
        /// How long to go on. Default: 0 for a step, 30000 for final.
        timeout_ms "timeoutMs": Option<Number> => Kind::Int;
    }

    /// The request budget of the follow-up.
    CaseBudget {
        /// Requests per second, as lowered after 429 and 905.
        per_second "perSecond": Option<Number>;
        /// Requests at once.
        burst "burst": Option<Number>;
        /// Until the next request is allowed.
        wait_ms "waitMs": Option<Number>;
    }

    /// How far the follow-up is.
    CaseFollowReply {
        /// Cases looked at by this call.
        done "done": Option<Number>;
        /// Cases that are due now.
        due "due": Option<Number>;
        /// Cases that are open.
        open "open": Option<Number>;
        /// When the next one is due; null if none is.
        next_due_at "nextDueAt": Option<Instant>;
        /// What may be asked how fast.
        budget "budget": Option<CaseBudget>;
    }

    /// Takes a notification of the vendor. It proves nothing: it only makes a query due.
    CaseNotifyRequest {
        /// The notification's body, as text or as JSON.
        body "body": Option<Any>, required;
    }

    /// What a notification set off.
    CaseNotifyReply {
        /// The vendor's event type.
        r#type "type": Option<String>;
        /// The order it speaks of.
        order_no "orderNo": Option<String>;
        /// The vendor's code it speaks of.
        code "code": Option<String>;
        /// Seen before; nothing was set off.
        duplicate "duplicate": Option<bool>;
        /// Ids of the cases whose query is due now.
        cases "cases": Vec<String>, never_null;
    }

    /// A human's verdict on a case whose outcome is unknown, or the code of one whose reply was lost.
    CaseResolveRequest {
        /// The case's id.
        id "id": Option<String>, required;
        /// executed or not_executed.
        r#as "as": Option<String>, required;
        /// Who says so.
        by "by": Option<String>, required;
        /// What it rests on: text, or {text, code} with the vendor's refundCode, voidCode or new order number.
        evidence "evidence": Option<Any>, required;
    }

    /// Exports cases as newline-delimited JSON; the filters are those of case.list.
    CaseExportRequest {
        /// Only open ones (true) or only final ones (false).
        open "open": Option<bool>;
        /// Of this order.
        order_no "orderNo": Option<String>;
        /// Of this kind.
        kind "kind": Option<String>;
        /// After the case with this id.
        after "after": Option<String>;
        /// 1 to 500. Default 500.
        limit "limit": Option<Number> => Kind::Int;
    }

    /// Rows.
    CaseExportReply {
        /// One case per line, each a JSON object, each line ended by `\n`.
        ndjson "ndjson": Option<String>;
        /// How many.
        count "count": Option<Number>;
        /// Give it as `after` for the next rows; null at the end.
        next "next": Option<String>;
    }

    /// Removes final cases. Their keys stay used.
    CasePurgeRequest {
        /// A moment with its offset, or an age such as `90d`, `12h`: what did not change since is removed.
        older_than "olderThan": Option<String>, required;
    }

    /// What was removed.
    CasePurgeReply {
        /// How many cases.
        purged "purged": Option<Number>;
    }

    /// What a case costs and gives back: decimal text in one currency.
    CaseMoney {
        /// Currency.
        currency "currency": Option<String>;
        /// What was paid, or the price of what is bought.
        paid "paid": Option<Amount>;
        /// The estimate: cash, before the service fee. Null when the airline decides.
        estimated_refund "estimatedRefund": Option<Amount>;
        /// The service fee.
        fee "fee": Option<Amount>;
        /// What came back, as the vendor says.
        actual_refund "actualRefund": Option<Amount>;
    }

    /// One step of a case: of each, at most one request that may have been executed leaves this machine.
    CaseStep {
        /// void, refund, order, pay, regenerate, stop, claim.
        name "name": Option<String>;
        /// pending, executed, not_executed, unknown.
        outcome "outcome": Option<String>;
        /// Requests sent or tried; each has its own intent.
        attempts "attempts": Option<Number>;
        /// The last change.
        at "at": Option<Instant>;
    }

    /// What an outcome rests on.
    CaseEvidence {
        /// When.
        at "at": Option<Instant>;
        /// What was seen.
        what "what": Option<String>;
        /// strong, fair, weak, human.
        strength "strength": Option<String>;
    }

    /// What went wrong.
    CaseError {
        /// Stable word, as in every error.
        code "code": Option<String>;
        /// The status number.
        status "status": Option<Number>;
        /// What happened.
        message "message": Option<String>;
        /// The vendor's code.
        vendor_status "vendorStatus": Option<Number>;
        /// The status table's word for it.
        vendor_code "vendorCode": Option<String>;
    }

    /// A case: one refund, void, ancillary order, regenerated order, stop or claim, from the intention to the end.
    Case {
        /// Its id; ids sort by time.
        id "id": Option<String>;
        /// Your key.
        key "key": Option<String>;
        /// refund, void, cancel, ancillary, regenerate, stop, claim; pay for a direct payment.
        kind "kind": Option<String>;
        /// Of a cancel: the way taken, void or refund.
        via "via": Option<String>;
        /// The order.
        order_no "orderNo": Option<String>;
        /// The offer that was submitted: what a lost reply is found by.
        offer_id "offerId": Option<String>;
        /// The vendor's name for what came of it: refundCode, voidCode, or the new order's number.
        code "code": Option<String>;
        /// pending until the submit is settled, then executed, not_executed, or unknown.
        outcome "outcome": Option<String>;
        /// planned, quoting, sending, unknown, awaiting_payment, ticketing, ticketed, atlas_processing, airline_processing, refunding, refunded, rejected, fulfilled, withdrawn, stopped, stop_failed, claimed, cancelled, refused, needs_human.
        state "state": Option<String>;
        /// The vendor's own state code.
        vendor_code "vendorCode": Option<Code>;
        /// Nothing more will change, as far as anybody knows. Never true while unknown.
        r#final "final": Option<bool>;
        /// Somebody else had submitted it; this case follows theirs.
        adopted "adopted": Option<bool>;
        /// Its effect showed up after it had been given up.
        reopened "reopened": Option<bool>;
        /// Money.
        money "money": Option<CaseMoney>;
        /// The last moment for the next step.
        deadline "deadline": Option<Instant>;
        /// The vendor's field that says so.
        deadline_source "deadlineSource": Option<String>;
        /// When the vendor is asked again; null when nothing is due.
        next_due_at "nextDueAt": Option<Instant>;
        /// Opened.
        created_at "createdAt": Option<Instant>;
        /// Last changed.
        updated_at "updatedAt": Option<Instant>;
        /// The submits.
        steps "steps": Vec<CaseStep>, never_null;
        /// What the outcome rests on, oldest first.
        evidence "evidence": Vec<CaseEvidence>, never_null;
        /// What went wrong last.
        error "error": Option<CaseError>;
    }
}
