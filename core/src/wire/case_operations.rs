//! Requests and replies of the `case.*` operations: the library's own messages, not the vendor's.

use super::message::message;
use super::shape::{Kind, Rule};
use super::value::{Code, Instant, Number};
use super::{Amount, Case, CaseError, CaseMoney, ConnectInfo, CreditCard, FlightRequest, ManageMyBooking};
use serde_json::Value as Any;

message! {
    /// What must hold before money moves. A case that does not fit is refused, and nothing is sent.
    CaseExpect {
        /// Currency of the amounts below; the offer must be in it.
        currency "currency": Option<String>, loggable;
        /// Least cash to come back, after the service fee.
        min_refund "minRefund": Option<Amount>, loggable;
        /// Largest service fee.
        max_fee "maxFee": Option<Amount>, loggable;
        /// Largest price of what is bought, with the fee.
        max_price "maxPrice": Option<Amount>, loggable;
        /// A voucher instead of cash will do. Default false.
        accept_voucher "acceptVoucher": Option<bool>, loggable;
        /// An offer without an estimate will do (CannotQuote: the airline decides). Default false.
        accept_unquoted "acceptUnquoted": Option<bool>, loggable;
        /// Another order beside one that somebody else has made will do: of baggage, or of the same passengers and flight. Default false.
        accept_foreign "acceptForeign": Option<bool>, loggable;
    }

    /// A product to buy after ticketing.
    CaseProduct {
        /// From postBookingAncillarySearch.
        product_code "productCode": Option<String>, required, loggable;
        /// Who, as `FAMILY/GIVEN`; everyone (but infants) if not given.
        name "name": Option<String>;
        /// On which segment, from 1; on every one if not given.
        segment_index "segmentIndex": Option<Number>, loggable;
    }

    /// How to pay. The card is sent to the vendor and never stored: give it again when a case is resumed.
    CasePayment {
        /// 1 deposit, 3 VCC, 4 BYOA, 5 MoR.
        payment_method "paymentMethod": Option<Code>, required, loggable;
        /// For 3 and 5.
        credit_card "creditCard": Option<CreditCard>;
        /// Brand of the card, which an ancillary order wants for MoR.
        card_type "cardType": Option<String>;
    }

    /// Starts a case, or resumes the one with this key.
    CaseOpenRequest {
        /// refund, void, cancel (void while the window is open, else refund), ancillary, regenerate, stop, claim.
        kind "kind": Option<String>, required, loggable;
        /// The order; not for claim.
        order_no "orderNo": Option<String>, loggable;
        /// Your own idempotency key: the same key and content mean the same case for ever.
        key "key": Option<String>, required;
        /// Refund: 0 involuntary, 1 voluntary. Default 1.
        reason "reason": Option<Code>, loggable;
        /// Refund: who, as `FAMILY/GIVEN`, {name}, {lastName, firstName}, or a position from 1; everyone if not given. Ancillary: who buys. Claim: as in pnrClaim.
        passengers "passengers": Vec<Any>;
        /// A recent offer, quoted through this store; a new one is requested if not given.
        offer_id "offerId": Option<String>, loggable;
        /// Ancillary: what to buy.
        products "products": Vec<CaseProduct>;
        /// Ancillary and regenerate: how to pay. Without it the case stops at awaiting_payment.
        payment "payment": Option<CasePayment>;
        /// Refuses before money moves.
        expect "expect": Option<CaseExpect>;
        /// The id of an earlier case on this order that may have been executed after all; opens this one all the same.
        after "after": Option<String>, loggable;
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
        order_no "orderNo": Option<String>, required, loggable;
        /// Who, as in case.open; everyone if not given. For some there is no void.
        passengers "passengers": Vec<Any>;
        /// Of a refund: 0 involuntary, 1 voluntary. Default 1.
        reason "reason": Option<Code>;
    }

    /// One way of giving an order back.
    CaseWay {
        /// It can be done.
        possible "possible": Option<bool>, loggable;
        /// The offer of the quotation.
        offer_id "offerId": Option<String>, loggable;
        /// What it costs and gives back.
        money "money": Option<CaseMoney>;
        /// The last moment, if the vendor says one.
        deadline "deadline": Option<Instant>, loggable;
        /// The vendor's field that says so.
        deadline_source "deadlineSource": Option<String>, loggable;
        /// AccurateQuote, CannotQuote.
        quote_type "quoteType": Option<String>, loggable;
        /// CashBackToOriginalPayment or Voucher.
        method "method": Option<String>, loggable;
        /// Why it cannot be done.
        error "error": Option<CaseError>;
    }

    /// Both ways, and which is better.
    CasePlanReply {
        /// The order.
        order_no "orderNo": Option<String>, loggable;
        /// It has tickets, so that it can be given back.
        ticketed "ticketed": Option<bool>, loggable;
        /// By a void; null for some passengers.
        void "void": Option<CaseWay>;
        /// By a refund of those asked for.
        refund "refund": Option<CaseWay>;
        /// void, refund, or null if neither can be done.
        better "better": Option<String>, loggable;
        /// Why.
        reason "reason": Option<String>, loggable;
    }

    /// Names a case.
    CaseGetRequest rules [Rule::AnyOf(&[&["id"], &["key"]])] {
        /// The case's id.
        id "id": Option<String>, loggable;
        /// Your key.
        key "key": Option<String>;
    }

    /// Lists cases, oldest first.
    CaseListRequest {
        /// Only open ones (true) or only final ones (false).
        open "open": Option<bool>, loggable;
        /// Of this order.
        order_no "orderNo": Option<String>, loggable;
        /// Of this kind.
        kind "kind": Option<String>, loggable;
        /// Only with this outcome: pending, executed, not_executed or unknown.
        outcome "outcome": Option<String>, loggable;
        /// Only in this state.
        state "state": Option<String>, loggable;
        /// Changed since this number, in the order of their last change: `next` of the page before, or 0.
        changed_since "changedSince": Option<Number> => Kind::Int, loggable;
        /// After the case with this id: `next` of the page before.
        after "after": Option<String>, loggable;
        /// 1 to 500. Default 100.
        limit "limit": Option<Number> => Kind::Int, loggable;
    }

    /// A page of cases.
    CaseListReply {
        /// The cases.
        cases "cases": Vec<Case>, never_null;
        /// Give it as `after` for the next page; null at the end. With changedSince a number, always: the next changedSince.
        next "next": Option<Code>, loggable;
    }

    /// Asks the vendor now what became of a case, or of all whose outcome is unknown. Submits nothing.
    CaseReconcileRequest rules [Rule::AnyOf(&[&["id"], &["key"], &["all"]])] {
        /// The case's id.
        id "id": Option<String>, loggable;
        /// Your key.
        key "key": Option<String>;
        /// All cases whose outcome is unknown.
        all "all": Option<bool>, loggable;
    }

    /// Follows one case or all open ones. Submits nothing.
    CaseFollowRequest rules [Rule::AnyOf(&[&["id"], &["key"], &["all"]])] {
        /// The case's id.
        id "id": Option<String>, loggable;
        /// Your key.
        key "key": Option<String>;
        /// All open cases.
        all "all": Option<bool>, loggable;
        /// step: what is due now and the budget allows. final: until nothing is open or the time is up. Default step.
        until "until": Option<String>, loggable;
        /// How long to go on. Default: 0 for a step, 30000 for final.
        timeout_ms "timeoutMs": Option<Number> => Kind::Int, loggable;
    }

    /// The request budget of the follow-up.
    CaseBudget {
        /// Requests per second, as lowered after 429 and 905.
        per_second "perSecond": Option<Number>, loggable;
        /// Requests at once.
        burst "burst": Option<Number>, loggable;
        /// Until the next request is allowed.
        wait_ms "waitMs": Option<Number>, loggable;
    }

    /// The progress of the follow-up.
    CaseFollowReply {
        /// Cases that this call queried.
        done "done": Option<Number>, loggable;
        /// Cases that are due now.
        due "due": Option<Number>, loggable;
        /// Cases that are open.
        open "open": Option<Number>, loggable;
        /// When the next one is due; null if none is.
        next_due_at "nextDueAt": Option<Instant>, loggable;
        /// How many requests the follow-up may send.
        budget "budget": Option<CaseBudget>;
    }

    /// Takes a notification of the vendor. It proves nothing: it only makes a query due.
    CaseNotifyRequest {
        /// The notification's body, as text or as JSON.
        body "body": Option<Any>, required;
    }

    /// The effect of a notification.
    CaseNotifyReply {
        /// The vendor's event type.
        r#type "type": Option<String>, loggable;
        /// The order it is about.
        order_no "orderNo": Option<String>, loggable;
        /// The vendor's code in it.
        code "code": Option<String>, loggable;
        /// Received before; it made no query due.
        duplicate "duplicate": Option<bool>, loggable;
        /// Ids of the cases whose query is due now.
        cases "cases": Vec<String>, never_null, loggable;
    }

    /// A human's verdict on a case whose outcome is unknown, or the code of one whose reply was lost.
    CaseResolveRequest {
        /// The case's id.
        id "id": Option<String>, required, loggable;
        /// executed or not_executed.
        r#as "as": Option<String>, required, loggable;
        /// Who says so.
        by "by": Option<String>, required;
        /// What it rests on: text, or {text, code} with the vendor's refundCode, voidCode or new order number.
        evidence "evidence": Option<Any>, required;
    }

    /// Exports cases as newline-delimited JSON; the filters are those of case.list.
    CaseExportRequest {
        /// Only open ones (true) or only final ones (false).
        open "open": Option<bool>, loggable;
        /// Of this order.
        order_no "orderNo": Option<String>, loggable;
        /// Of this kind.
        kind "kind": Option<String>, loggable;
        /// After the case with this id.
        after "after": Option<String>, loggable;
        /// 1 to 500. Default 500.
        limit "limit": Option<Number> => Kind::Int, loggable;
    }

    /// Rows.
    CaseExportReply {
        /// One case per line, each a JSON object, each line with its end.
        ndjson "ndjson": Option<String>;
        /// How many.
        count "count": Option<Number>, loggable;
        /// Give it as `after` for the next rows; null at the end.
        next "next": Option<String>, loggable;
    }

    /// Counts the cases of the account.
    CaseStatsRequest {
    }

    /// How much there is to do.
    CaseStatsReply {
        /// Cases that are open.
        open "open": Option<Number>, loggable;
        /// Open cases whose outcome is unknown, with those whose sender ended.
        unknown "unknown": Option<Number>, loggable;
        /// Cases that nobody has moved for a day and only case.open or a human moves, and all that need a human.
        stuck "stuck": Option<Number>, loggable;
        /// When the oldest open case was opened; null if none is open.
        oldest "oldest": Option<Instant>, loggable;
        /// Cases that are due now.
        due "due": Option<Number>, loggable;
        /// How many requests the follow-up may send.
        budget "budget": Option<CaseBudget>;
        /// Until when a Retry-After stops the account; null if none does.
        paused_until "pausedUntil": Option<Instant>, loggable;
    }

    /// Copies a file store. The copy opens as rewound: what was sent after it is not in it.
    CaseBackupRequest {
        /// A file that is not there yet.
        path "path": Option<String>, required;
    }

    /// The copy.
    CaseBackupReply {
        /// Where it is.
        path "path": Option<String>;
        /// Its size.
        bytes "bytes": Option<Number>, loggable;
    }

    /// A store, as `store` of the configuration: a path, or the address of a server.
    StoreSource {
        /// SQLite file. Either path or url.
        path "path": Option<String>;
        /// Its witness, if it has another one than PATH-witness.
        witness_file "witnessFile": Option<String>;
        /// postgres://user@host/database.
        url "url": Option<String>;
        /// Of the server's user.
        password "password": Option<String>;
        /// PEM file with the server's root certificates.
        ca_file "caFile": Option<String>;
        /// PEM file with a client certificate chain for the server.
        client_cert_file "clientCertFile": Option<String>;
        /// PEM file with its key.
        client_key_file "clientKeyFile": Option<String>;
    }

    /// Moves all accounts of another store into this one.
    CaseImportRequest {
        /// The store to move. Nothing is written to it afterwards.
        from "from": Option<StoreSource>, required;
        /// Only says what would be moved. Default false.
        dry_run "dryRun": Option<bool>, loggable;
    }

    /// What was moved.
    CaseImportReply {
        /// False for a dry run, and where an earlier call had moved it all.
        imported "imported": Option<bool>, loggable;
        /// This store has it all now.
        done "done": Option<bool>, loggable;
        /// Names of the accounts.
        accounts "accounts": Vec<String>;
        /// How many cases.
        cases "cases": Option<Number>, loggable;
        /// How many keys of purged cases.
        purged_keys "purgedKeys": Option<Number>, loggable;
    }

    /// Ends a pause that a Retry-After began.
    CaseUnpauseRequest {
    }

    /// What was ended.
    CaseUnpauseReply {
        /// The account was paused.
        was_paused "wasPaused": Option<bool>, loggable;
        /// How many cases waited for its end; they can be opened again now.
        cases "cases": Option<Number>, loggable;
    }

    /// Names the account that a client without a name made.
    CaseAdoptAccountRequest {
        /// The client id that made it.
        client_id "clientId": Option<String>, required;
        /// The base URL of the client that made it.
        base_url "baseUrl": Option<String>, required;
        /// Its name from now on. If an account has it, the two are merged.
        account "account": Option<String>, required;
    }

    /// The account.
    CaseAdoptAccountReply {
        /// Its name.
        account "account": Option<String>;
    }

    /// A human's word that what a rewound store has lost was looked for.
    CaseConfirmStoreRequest {
        /// Who says so.
        by "by": Option<String>, required;
        /// What it rests on.
        evidence "evidence": Option<String>, required;
    }

    /// Whether the store may be used again.
    CaseConfirmStoreReply {
        /// False if another loss was noticed meanwhile.
        confirmed "confirmed": Option<bool>, loggable;
    }

    /// Removes final cases. Keys that were bound stay used.
    CasePurgeRequest {
        /// A moment with its offset, or an age such as `90d`, `12h`, `0h`: what did not change since is removed.
        older_than "olderThan": Option<String>, required, loggable;
    }

    /// What was removed.
    CasePurgeReply {
        /// How many cases.
        purged "purged": Option<Number>, loggable;
    }
}
