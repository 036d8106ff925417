//! THE table of operations: everything else is derived from it — dispatch, schemas, C names, Python
//! methods, documentation.

use super::vendor_status::Family;
use crate::wire::shape::{Message, Shape};
use crate::wire::*;

/// What a call may do at the vendor, and so how it may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    /// Changes nothing; repeated on error.
    Read,
    /// Changes nothing but makes a new offer; repeated on error.
    Quote,
    /// Changes something and cannot be withdrawn: at most one request leaves.
    Submit,
    /// A submit whose repetition is harmless (the last one counts).
    RepeatableSubmit,
    /// No network.
    Local,
}

impl OperationKind {
    /// The word in `describe`.
    pub fn name(self) -> &'static str {
        match self {
            OperationKind::Read => "read",
            OperationKind::Quote => "quote",
            OperationKind::Submit | OperationKind::RepeatableSubmit => "submit",
            OperationKind::Local => "local",
        }
    }

    /// Whether the effect outlives the call, so that a lost reply leaves its outcome unknown.
    pub fn has_effect(self) -> bool {
        matches!(self, OperationKind::Submit | OperationKind::RepeatableSubmit)
    }

    /// Whether a second request is harmless.
    pub fn may_repeat(self) -> bool {
        !matches!(self, OperationKind::Submit)
    }
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The vendor's endpoint name.
    pub name: &'static str,
    pub path: &'static str,
    pub kind: OperationKind,
    pub request: &'static Shape,
    pub reply: &'static Shape,
    /// Which vendor codes it can answer.
    pub family: Family,
    /// The operation that finds out when the outcome is unknown, or when the vendor says "already".
    pub resolved_by: Option<&'static str>,
    /// What makes a fresh offer when the old one has expired.
    pub requote: Option<&'static str>,
    /// The reply's field that names the new case.
    pub case_code: Option<&'static str>,
    /// Request fields that a reply field must repeat. The first pair decides (wrong_order), the others only warn.
    pub echoes: &'static [(&'static str, &'static str)],
    /// A reply field without which status 0 means that there is no such order or booking.
    pub not_found_key: Option<&'static str>,
    /// A reply field that says "no" with status 0, and the warning that this gives.
    pub denial: Option<(&'static str, &'static str)>,
    /// A list whose one element older replies put at the root.
    pub root_element: Option<RootElement>,
    /// The deadline of a call for which neither configuration nor options give one.
    pub timeout: DefaultTimeout,
    pub doc: &'static str,
}

/// An older form of a reply: the one element of `list` stands at the root.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RootElement {
    pub list: &'static str,
    /// One of these keys at the root tells the older form.
    pub markers: &'static [&'static str],
}

/// A deadline in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DefaultTimeout {
    Fixed(u64),
    /// The value of a request field (`otherwise` without one), and `extra` for the answer to arrive.
    FromRequest {
        field: &'static str,
        otherwise: u64,
        extra: u64,
    },
}

impl Operation {
    /// The row of that name.
    pub fn find(name: &str) -> Option<&'static Operation> {
        OPERATIONS.iter().find(|op| op.name == name)
    }

    /// A case operation: it works on the store, and asks the vendor through other operations.
    pub fn is_case(&self) -> bool {
        self.name.starts_with("case.")
    }

    /// `void` → `apb_void`.
    pub fn c_name(&self) -> String {
        format!("apb_{}", self.python_name())
    }

    /// `updateWebhookURL` → `update_webhook_url`.
    pub fn python_name(&self) -> String {
        let mut out = String::with_capacity(self.name.len() + 8);
        let mut after_upper = true;
        for c in self.name.chars() {
            if c == '.' {
                out.push('_');
            } else if c.is_ascii_uppercase() {
                if !after_upper {
                    out.push('_');
                }
                out.push(c.to_ascii_lowercase());
            } else {
                out.push(c);
            }
            after_upper = c.is_ascii_uppercase();
        }
        out
    }
}

/// The nearest known name, for "did you mean".
pub(crate) fn nearest_operation(name: &str) -> Option<&'static str> {
    nearest(name, OPERATIONS.iter().map(|op| op.name))
}

/// Calls the given macro with every operation that has typed Rust methods.
macro_rules! for_each_operation {
    ($callback:ident) => {
        $callback! {
            /// Asks which baggage can still be bought for a ticketed order.
            post_booking_ancillary_search, "postBookingAncillarySearch", PostBookingAncillarySearchRequest, PostBookingAncillarySearchReply;
            /// Orders baggage after ticketing: makes an unpaid order.
            post_booking_ancillary_order, "postBookingAncillaryOrder", PostBookingAncillaryOrderRequest, PostBookingAncillaryOrderReply;
            /// Asks what a refund would give back.
            refund_quotation, "refundQuotation", RefundQuotationRequest, RefundQuotationReply;
            /// Submits a refund. It cannot be withdrawn.
            refund, "refund", RefundRequest, RefundReply;
            /// Asks how refunds stand.
            query_refund_orders, "queryRefundOrders", QueryRefundOrdersRequest, QueryRefundOrdersReply;
            /// Asks whether an order can be voided.
            void_quotation, "voidQuotation", VoidQuotationRequest, VoidQuotationReply;
            /// Submits a void. It cannot be withdrawn.
            void, "void", VoidRequest, VoidReply;
            /// Asks how voids stand.
            query_void_orders, "queryVoidOrders", QueryVoidOrdersRequest, QueryVoidOrdersReply;
            /// Builds a new order from an expired or cancelled one.
            regenerate_order, "regenerateOrder", RegenerateOrderRequest, RegenerateOrderReply;
            /// Tries to stop the issuing of a paid order; look at the order after 8 minutes.
            stop_ticket, "stopTicket", StopTicketRequest, StopTicketReply;
            /// Lists orders, newest first.
            order_list, "orderList", OrderListRequest, OrderListReply;
            /// Brings a booking made elsewhere under Atlas' management.
            pnr_claim, "pnrClaim", PnrClaimRequest, PnrClaimReply;
            /// Reads a booking at the airline as it is now.
            extract_pnr, "extractPnr", ExtractPnrRequest, ExtractPnrReply;
            /// Reads one order.
            query_order_details, "queryOrderDetails", QueryOrderDetailsRequest, QueryOrderDetailsReply;
            /// Pays a main, regenerated or ancillary order.
            pay, "pay", PayRequest, PayReply;
            /// Reads the balance of the deposit.
            balance, "balance", BalanceRequest, BalanceReply;
            /// Registers the address of notifications.
            update_webhook_url, "updateWebhookURL", UpdateWebhookUrlRequest, UpdateWebhookUrlReply;
            /// Asks what a void and what a refund of an order would give back. Submits nothing.
            case_plan, "case.plan", CasePlanRequest, CasePlanReply;
            /// Starts a case, or resumes the one with this key: submits once and knows the end.
            case_open, "case.open", CaseOpenRequest, Case;
            /// Reads a case as the store has it.
            case_get, "case.get", CaseGetRequest, Case;
            /// Lists cases, oldest first.
            case_list, "case.list", CaseListRequest, CaseListReply;
            /// Asks the vendor now what became of a case.
            case_reconcile, "case.reconcile", CaseReconcileRequest, Case;
            /// Follows cases: asks what is due, as fast as the budget allows.
            case_follow, "case.follow", CaseFollowRequest, CaseFollowReply;
            /// Takes a notification of the vendor: it makes a query due, no more.
            case_notify, "case.notify", CaseNotifyRequest, CaseNotifyReply;
            /// A human's verdict on a case whose outcome is unknown.
            case_resolve, "case.resolve", CaseResolveRequest, Case;
            /// Exports cases as newline-delimited JSON.
            case_export, "case.export", CaseExportRequest, CaseExportReply;
            /// Removes final cases that did not change for long.
            case_purge, "case.purge", CasePurgeRequest, CasePurgeReply;
            /// Counts the cases of the account.
            case_stats, "case.stats", CaseStatsRequest, CaseStatsReply;
            /// Copies a file store; the copy opens as rewound.
            case_backup, "case.backup", CaseBackupRequest, CaseBackupReply;
            /// Moves all accounts of another store into this one.
            case_import, "case.import", CaseImportRequest, CaseImportReply;
            /// Ends a pause that a Retry-After began.
            case_unpause, "case.unpause", CaseUnpauseRequest, CaseUnpauseReply;
            /// Names the account that a client without a name made.
            case_adopt_account, "case.adoptAccount", CaseAdoptAccountRequest, CaseAdoptAccountReply;
            /// A human's word about a rewound store.
            case_confirm_store, "case.confirmStore", CaseConfirmStoreRequest, CaseConfirmStoreReply;
        }
    };
}
pub(crate) use for_each_operation;

const BASE: Operation = Operation {
    name: "",
    path: "",
    kind: OperationKind::Read,
    request: BalanceRequest::SHAPE,
    reply: BalanceReply::SHAPE,
    family: Family::General,
    resolved_by: None,
    requote: None,
    case_code: None,
    echoes: &[],
    not_found_key: None,
    denial: None,
    root_element: None,
    timeout: DefaultTimeout::Fixed(30_000),
    doc: "",
};

const SUBMIT: Operation = Operation { kind: OperationKind::Submit, timeout: DefaultTimeout::Fixed(150_000), ..BASE };

/// Every operation, in the order of the documentation.
pub(crate) static OPERATIONS: &[Operation] = &[
    Operation {
        name: "postBookingAncillarySearch",
        path: "/postBookingAncillarySearch.do",
        kind: OperationKind::Quote,
        request: PostBookingAncillarySearchRequest::SHAPE,
        reply: PostBookingAncillarySearchReply::SHAPE,
        family: Family::AncillarySearch,
        echoes: &[("", ""), ("ticketOrderNo", "ticketOrderNo")],
        doc: "Asks which baggage can still be bought for a ticketed order. Not within 24 hours of departure, not with infants.",
        ..BASE
    },
    Operation {
        name: "postBookingAncillaryOrder",
        path: "/postBookingAncillaryOrder.do",
        request: PostBookingAncillaryOrderRequest::SHAPE,
        reply: PostBookingAncillaryOrderReply::SHAPE,
        family: Family::AncillaryOrder,
        resolved_by: Some("queryOrderDetails"),
        requote: Some("postBookingAncillarySearch"),
        echoes: &[("", "orderNo"), ("ticketOrderNo", "ticketOrderNo")],
        doc: "Orders baggage after ticketing. The new order is unpaid and lapses at tktLimitTime: pay it. Never pay two.",
        ..SUBMIT
    },
    Operation {
        name: "refundQuotation",
        path: "/refundQuotation.do",
        kind: OperationKind::Quote,
        request: RefundQuotationRequest::SHAPE,
        reply: RefundQuotationReply::SHAPE,
        family: Family::Refund,
        echoes: &[("orderNo", "orderNo")],
        denial: Some(("isRefundable", "not_refundable")),
        doc: "Asks what a refund would give back, and makes an offer for refund. Whole itinerary, any passengers, but no child alone.",
        ..BASE
    },
    Operation {
        name: "refund",
        path: "/refund.do",
        request: RefundRequest::SHAPE,
        reply: RefundReply::SHAPE,
        family: Family::Refund,
        resolved_by: Some("queryRefundOrders"),
        requote: Some("refundQuotation"),
        case_code: Some("refundCode"),
        echoes: &[("orderNo", "orderNo")],
        doc: "Submits a refund. It cannot be withdrawn. After a lost reply, queryRefundOrders is searched for the offer id.",
        ..SUBMIT
    },
    Operation {
        name: "queryRefundOrders",
        path: "/queryRefundOrders.do",
        request: QueryRefundOrdersRequest::SHAPE,
        reply: QueryRefundOrdersReply::SHAPE,
        family: Family::Refund,
        echoes: &[("orderNo", "orderNo")],
        root_element: Some(RootElement { list: "refundOrders", markers: &["refundStatus", "refundCode"] }),
        doc: "Asks how the refunds of an order stand.",
        ..BASE
    },
    Operation {
        name: "voidQuotation",
        path: "/voidQuotation.do",
        kind: OperationKind::Quote,
        request: VoidQuotationRequest::SHAPE,
        reply: VoidQuotationReply::SHAPE,
        family: Family::Void,
        echoes: &[("orderNo", "orderNo")],
        denial: Some(("isVoidable", "not_voidable")),
        doc: "Asks whether an order can be voided, and makes an offer for void. Needed before every void.",
        ..BASE
    },
    Operation {
        name: "void",
        path: "/void.do",
        request: VoidRequest::SHAPE,
        reply: VoidReply::SHAPE,
        family: Family::Void,
        resolved_by: Some("queryVoidOrders"),
        requote: Some("voidQuotation"),
        case_code: Some("voidCode"),
        echoes: &[("orderNo", "orderNo")],
        doc: "Submits a void of the whole order. It cannot be withdrawn. After a lost reply, queryVoidOrders is searched for the offer id.",
        ..SUBMIT
    },
    Operation {
        name: "queryVoidOrders",
        path: "/queryVoidOrders.do",
        request: QueryVoidOrdersRequest::SHAPE,
        reply: QueryVoidOrdersReply::SHAPE,
        family: Family::Void,
        echoes: &[("orderNo", "orderNo")],
        doc: "Asks how the voids of an order stand.",
        ..BASE
    },
    Operation {
        name: "regenerateOrder",
        path: "/regenerateOrder.do",
        request: RegenerateOrderRequest::SHAPE,
        reply: RegenerateOrderReply::SHAPE,
        family: Family::Regenerate,
        resolved_by: Some("orderList"),
        echoes: &[("", "orderNo"), ("originalOrderNo", "originalOrderNo")],
        doc: "Builds a new order from an expired or cancelled one, at today's price. Every success is another order: pay the new one.",
        ..SUBMIT
    },
    Operation {
        name: "stopTicket",
        path: "/stopTicket.do",
        request: StopTicketRequest::SHAPE,
        reply: StopTicketReply::SHAPE,
        family: Family::General,
        resolved_by: Some("queryOrderDetails"),
        echoes: &[("orderNo", "orderNo")],
        doc: "Tries to stop the issuing of a paid order. Accepted means only that the attempt was made: look at the order after 8 minutes (-3 stopped, 2 issued anyway).",
        ..SUBMIT
    },
    Operation {
        name: "orderList",
        path: "/orderList.do",
        request: OrderListRequest::SHAPE,
        reply: OrderListReply::SHAPE,
        doc: "Lists orders that depart within a year, newest first.",
        ..BASE
    },
    Operation {
        name: "pnrClaim",
        path: "/pnr/claim.do",
        request: PnrClaimRequest::SHAPE,
        reply: PnrClaimReply::SHAPE,
        family: Family::General,
        resolved_by: Some("orderList"),
        echoes: &[("", "orderNo")],
        doc: "Brings a booking made elsewhere under Atlas' management and gives it an order number.",
        ..SUBMIT
    },
    Operation {
        name: "extractPnr",
        path: "/extractPnr.do",
        request: ExtractPnrRequest::SHAPE,
        reply: ExtractPnrReply::SHAPE,
        family: Family::Lookup,
        not_found_key: Some("airlinePnr"),
        // The vendor's own limit for asking the airline.
        timeout: DefaultTimeout::FromRequest { field: "timeout", otherwise: 25_000, extra: 5_000 },
        doc: "Reads a booking at the airline as it is now.",
        ..BASE
    },
    Operation {
        name: "queryOrderDetails",
        path: "/queryOrderDetails.do",
        request: QueryOrderDetailsRequest::SHAPE,
        reply: QueryOrderDetailsReply::SHAPE,
        family: Family::Lookup,
        echoes: &[("orderNo", "orderNo")],
        not_found_key: Some("orderNo"),
        doc: "Reads one order: the truth about it.",
        ..BASE
    },
    Operation {
        name: "pay",
        path: "/pay.do",
        request: PayRequest::SHAPE,
        reply: PayReply::SHAPE,
        family: Family::Pay,
        resolved_by: Some("queryOrderDetails"),
        echoes: &[("orderNo", "orderNo")],
        doc: "Pays a main, regenerated or ancillary order. Accepted is not yet ticketed. Never repeat it blindly.",
        ..SUBMIT
    },
    Operation {
        name: "balance",
        path: "/balance.do",
        request: BalanceRequest::SHAPE,
        reply: BalanceReply::SHAPE,
        doc: "Reads the balance of the deposit.",
        ..BASE
    },
    Operation {
        name: "updateWebhookURL",
        path: "/updateWebhookURL.do",
        kind: OperationKind::RepeatableSubmit,
        request: UpdateWebhookUrlRequest::SHAPE,
        reply: UpdateWebhookUrlReply::SHAPE,
        resolved_by: Some("updateWebhookURL"),
        doc: "Registers the one address that all notifications go to. Calling it again is harmless.",
        ..SUBMIT
    },
    Operation {
        name: "parseWebhook",
        path: "",
        kind: OperationKind::Local,
        request: UnknownEvent::SHAPE,
        reply: WebhookReply::SHAPE,
        doc: "Reads a notification of the vendor. The request is the notification's body as it came. No network; the event is unsigned, so confirm it with the operation in `hint`.",
        ..BASE
    },
    Operation {
        name: "case.plan",
        kind: OperationKind::Read,
        request: CasePlanRequest::SHAPE,
        reply: CasePlanReply::SHAPE,
        doc: "Asks what a void and what a refund of an order would give back, until when, and which is better. Submits nothing.",
        ..BASE
    },
    Operation {
        name: "case.open",
        request: CaseOpenRequest::SHAPE,
        reply: Case::SHAPE,
        resolved_by: Some("case.reconcile"),
        doc: "Starts a case, or resumes the one with this key: the vendor's lists are filled from queryOrderDetails, a fresh offer is asked for and checked against expect, the intent is stored and synced, and only then the submit leaves, once. Needs a store.",
        ..SUBMIT
    },
    Operation {
        name: "case.get",
        kind: OperationKind::Local,
        request: CaseGetRequest::SHAPE,
        reply: Case::SHAPE,
        doc: "Reads a case as the store has it, without network.",
        ..BASE
    },
    Operation {
        name: "case.list",
        kind: OperationKind::Local,
        request: CaseListRequest::SHAPE,
        reply: CaseListReply::SHAPE,
        doc: "Lists the cases of this account, oldest first, without network.",
        ..BASE
    },
    Operation {
        name: "case.reconcile",
        kind: OperationKind::Read,
        request: CaseReconcileRequest::SHAPE,
        reply: Case::SHAPE,
        doc: "Asks the vendor now what became of a case, or of all whose outcome is unknown. Submits nothing.",
        ..BASE
    },
    Operation {
        name: "case.follow",
        kind: OperationKind::Read,
        request: CaseFollowRequest::SHAPE,
        reply: CaseFollowReply::SHAPE,
        timeout: DefaultTimeout::FromRequest { field: "timeoutMs", otherwise: 0, extra: 30_000 },
        doc: "Follows one case or all open ones to their end, within the follow-up's budget. Submits nothing.",
        ..BASE
    },
    Operation {
        name: "case.notify",
        kind: OperationKind::Local,
        request: CaseNotifyRequest::SHAPE,
        reply: CaseNotifyReply::SHAPE,
        doc: "Takes the body of a notification as it came. Notifications are unsigned: one only makes a query of its case due, which the next case.follow makes.",
        ..BASE
    },
    Operation {
        name: "case.resolve",
        kind: OperationKind::Local,
        request: CaseResolveRequest::SHAPE,
        reply: Case::SHAPE,
        doc: "Settles a case whose outcome is unknown by a human's verdict, with its evidence. For a case that was executed it takes the code that a lost reply would have given, without which the vendor may refuse the list.",
        ..BASE
    },
    Operation {
        name: "case.export",
        kind: OperationKind::Local,
        request: CaseExportRequest::SHAPE,
        reply: CaseExportReply::SHAPE,
        doc: "Exports cases as newline-delimited JSON, without secrets, cards and passengers.",
        ..BASE
    },
    Operation {
        name: "case.purge",
        kind: OperationKind::Local,
        request: CasePurgeRequest::SHAPE,
        reply: CasePurgeReply::SHAPE,
        doc: "Removes final cases that did not change for long. Keys that were bound stay used, and orders paid stay paid.",
        ..BASE
    },
    Operation {
        name: "case.stats",
        kind: OperationKind::Local,
        request: CaseStatsRequest::SHAPE,
        reply: CaseStatsReply::SHAPE,
        doc: "Counts the cases of this account: open, unknown, stuck, due; the budget of the follow-up, and a pause.",
        ..BASE
    },
    Operation {
        name: "case.backup",
        kind: OperationKind::Local,
        request: CaseBackupRequest::SHAPE,
        reply: CaseBackupReply::SHAPE,
        doc: "Copies a file store while it is in use. The copy opens as rewound: nothing is sent through it before case.confirmStore.",
        ..BASE
    },
    Operation {
        name: "case.import",
        kind: OperationKind::Local,
        request: CaseImportRequest::SHAPE,
        reply: CaseImportReply::SHAPE,
        timeout: DefaultTimeout::Fixed(3_600_000),
        doc: "Moves all accounts of another store into this one: cases, keys, holds, change numbers. The other store takes no writes from then on. Run once more, it does nothing more.",
        ..BASE
    },
    Operation {
        name: "case.unpause",
        kind: OperationKind::Local,
        request: CaseUnpauseRequest::SHAPE,
        reply: CaseUnpauseReply::SHAPE,
        doc: "Ends a pause that a Retry-After began, and makes the cases that wait for it due. The lowered rate stays.",
        ..BASE
    },
    Operation {
        name: "case.adoptAccount",
        kind: OperationKind::Local,
        request: CaseAdoptAccountRequest::SHAPE,
        reply: CaseAdoptAccountReply::SHAPE,
        doc: "Gives a name to the account that a client without a name made, or merges it into the account that has the name.",
        ..BASE
    },
    Operation {
        name: "case.confirmStore",
        kind: OperationKind::Local,
        request: CaseConfirmStoreRequest::SHAPE,
        reply: CaseConfirmStoreReply::SHAPE,
        doc: "Lets a store that is older than what was sent through it send again, once every case that may have been sent was asked about.",
        ..BASE
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_vendors() {
        let python: Vec<_> = OPERATIONS.iter().map(Operation::python_name).collect();
        assert!(python.contains(&"update_webhook_url".to_owned()));
        assert!(python.contains(&"post_booking_ancillary_order".to_owned()));
        assert!(python.contains(&"void".to_owned()));
        assert_eq!(Operation::find("pnrClaim").unwrap().path, "/pnr/claim.do");
    }

    #[test]
    fn shapes_fit_the_matcher() {
        fn check(shape: &Shape) {
            assert!(shape.fields.len() <= 64, "{} has {} fields", shape.name, shape.fields.len());
            for field in shape.fields {
                let mut kind = &field.kind;
                while let crate::wire::shape::Kind::List(item) = kind {
                    kind = item;
                }
                if let crate::wire::shape::Kind::Object(inner) = kind {
                    check(inner);
                }
            }
        }
        for op in OPERATIONS {
            check(op.request);
            check(op.reply);
        }
    }
}
