//! The table of the vendor's operations.

use crate::router::Answer;
use crate::world::World;
use crate::{account, ancillary, maintenance, pay, pnr, query, refund, void};
use serde_json::Value;

/// An operation of the vendor.
pub struct Operation {
    /// The name: the path without `/` and `.do`, except for `pnrClaim`.
    pub name: &'static str,
    /// The URL path.
    pub path: &'static str,
    /// The operation has an effect, so it is recorded in the ledger.
    pub submit: bool,
    /// The `msg` of a success.
    pub message: Option<&'static str>,
    /// Payload fields, sent as null on refusals.
    pub fields: &'static str,
    /// The implementation.
    pub run: fn(&mut World, &Value) -> Answer,
}

const QUOTE: &str = "orderNo displayCurrency isRefundable refundQuoteType refundOfferId refundMethod fastConfirmation expectedConfirmationDate expectedRefundDate refundTickets refundFareAmount refundPostTicketingServiceAmounts refundVouchers serviceFee refundRules";
const REFUND: &str = "orderNo displayCurrency isRefundable refundQuoteType refundOfferId refundMethod fastConfirmation expectedConfirmationDate expectedRefundDate refundTickets refundFareAmount refundPostTicketingServiceAmounts refundVouchers serviceFee refundRules refundStatus refundCode cancelReason refundReason";
const VOID_QUOTE: &str = "orderNo isVoidable voidOfferId voidMethod fastConfirmation expectedConfirmationDate expectedRefundDate voidTickets voidFareAmount voidPostTicketingServiceAmounts serviceFee voidWindow";
const VOID: &str = "orderNo isVoidable voidOfferId voidMethod fastConfirmation expectedConfirmationDate expectedRefundDate voidTickets voidFareAmount voidPostTicketingServiceAmounts serviceFee voidStatus voidCode cancelReason";
const SEARCH: &str = "sessionId ticketOrderNo supportCreditTransPayment supportPaymentMethods currency cardChargeList fromSegments retSegments ancillaryProductElements";
const BAGS: &str = "sessionId orderNo ticketOrderNo totalPrice totalTransactionFee currency vendorTotalPrice vendorCurrency tktLimitTime paxTicketInfos paymentOptions";
const REGENERATED: &str = "sessionId offerId orderNo originalOrderNo ticketOrderNo totalPrice totalTransactionFee currency vendorTotalPrice vendorCurrency tktLimitTime pnrCode paxTicketInfos routing duplicateOrders paymentOptions";
/// The fields of `extractPnr`. With `unknownOrder=nulls` all of them are null for an unknown PNR.
pub const PNR: &str = "airlinePnr pnrStatus pnrUsed currency totalPrice routing paxTicketInfos contact";
/// The fields of an order query. With `unknownOrder=nulls` all of them are null for an unknown order.
pub const DETAILS: &str = "orderNo pnrCode orderStatus ticketStatus paxTicketInfos totalPrice currency tktLimitTime vendorTotalPrice vendorCost vendorTotalAncillaryPrice vendorCurrency adultTotalFare childTotalFare infantTotalFare totalAncillaryPrice totalTransactionFee supportPaymentMethod supportPaymentMethods paymentMethod routing airlineBookings itineraryDownload contact errorCode errorMessage airlineMessage refundRules ifSeatOccupied paymentOptions payment paymentAttempted payTime createdTime updatedTime orderType ticketOrderNo";

/// All operations.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        name: "postBookingAncillarySearch",
        path: "/postBookingAncillarySearch.do",
        submit: false,
        message: Some("success"),
        fields: SEARCH,
        run: ancillary::search,
    },
    Operation {
        name: "postBookingAncillaryOrder",
        path: "/postBookingAncillaryOrder.do",
        submit: true,
        message: None,
        fields: BAGS,
        run: ancillary::order,
    },
    Operation {
        name: "refundQuotation",
        path: "/refundQuotation.do",
        submit: false,
        message: None,
        fields: QUOTE,
        run: refund::quotation,
    },
    Operation { name: "refund", path: "/refund.do", submit: true, message: None, fields: REFUND, run: refund::refund },
    Operation {
        name: "queryRefundOrders",
        path: "/queryRefundOrders.do",
        submit: false,
        message: None,
        fields: "refundOrders",
        run: refund::query,
    },
    Operation {
        name: "voidQuotation",
        path: "/voidQuotation.do",
        submit: false,
        message: None,
        fields: VOID_QUOTE,
        run: void::quotation,
    },
    Operation { name: "void", path: "/void.do", submit: true, message: None, fields: VOID, run: void::void },
    Operation {
        name: "queryVoidOrders",
        path: "/queryVoidOrders.do",
        submit: false,
        message: None,
        fields: "voidOrders",
        run: void::query,
    },
    Operation {
        name: "regenerateOrder",
        path: "/regenerateOrder.do",
        submit: true,
        message: None,
        fields: REGENERATED,
        run: maintenance::regenerate,
    },
    Operation {
        name: "stopTicket",
        path: "/stopTicket.do",
        submit: true,
        message: Some("The attempt to stop has begun; look at the order status after 8 minutes"),
        fields: "",
        run: maintenance::stop,
    },
    Operation {
        name: "orderList",
        path: "/orderList.do",
        submit: false,
        message: None,
        fields: "page pageSize totalRecords orders",
        run: query::list_orders,
    },
    Operation {
        name: "pnrClaim",
        path: "/pnr/claim.do",
        submit: true,
        message: None,
        fields: "orderNo pnrCode",
        run: pnr::claim,
    },
    Operation {
        name: "extractPnr",
        path: "/extractPnr.do",
        submit: false,
        message: None,
        fields: PNR,
        run: pnr::extract,
    },
    Operation {
        name: "queryOrderDetails",
        path: "/queryOrderDetails.do",
        submit: false,
        message: Some("success"),
        fields: DETAILS,
        run: query::details,
    },
    Operation {
        name: "pay",
        path: "/pay.do",
        submit: true,
        message: Some("success"),
        fields: "orderNo pnrCode paymentMethod airlines",
        run: pay::pay,
    },
    Operation {
        name: "balance",
        path: "/balance.do",
        submit: false,
        message: None,
        fields: "accountBalance",
        run: account::balance,
    },
    Operation {
        name: "updateWebhookURL",
        path: "/updateWebhookURL.do",
        submit: true,
        message: Some("success"),
        fields: "",
        run: account::update_webhook,
    },
];

/// The operation at a path.
pub fn operation(path: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.path == path)
}
