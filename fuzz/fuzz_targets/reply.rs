//! An answer of the vendor: `OPERATION HTTP-STATUS`, the request, and the body, a line each; the body goes on to the end.
#![no_main]

use atlas_fuzz::{check_reply, operation, rules, split};
use atlas_postbooking::{Reply, dispatch, wire};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

fuzz_target!(|input: &[u8]| {
    let (head, rest) = split(input, b'\n');
    let (request, body) = split(rest, b'\n');
    let (name, http) = split(head, b' ');
    let operation = operation(name);
    let http = std::str::from_utf8(http).ok().and_then(|http| http.parse().ok());
    let http = http.filter(|http| (100..600).contains(http)).unwrap_or(200);
    let reply = dispatch::decode(operation.as_bytes(), request, http, body);
    // Local operations have no answers.
    if std::str::from_utf8(request).is_err() || reply.http_status().is_none() {
        return;
    }
    check_reply(reply.json(), reply.outcome().number(), reply.status().number(), input);
    rules::check_outcome(operation, http, body, reply.outcome().name());
    wire::compare_readings(operation, body);
    if reply.status().number() == 0 {
        fits_its_type(operation, reply.data());
    }
    read_again(operation, &reply);
});

/// What was written once stays as it is when it is read again.
fn read_again(operation: &str, reply: &Reply) {
    let Ok(Value::Object(_)) = serde_json::from_str(reply.data()) else { return };
    let again = |data: &str| dispatch::decode(operation.as_bytes(), b"{}", 200, data.as_bytes());
    let second = again(reply.data());
    let third = again(second.data());
    assert_eq!(second.data(), third.data(), "{operation}: first {}", reply.data());
    let keys = |data: &str| serde_json::from_str::<Map<String, Value>>(data).map(|all| all.keys().cloned().collect());
    let (first, second): (Vec<String>, Vec<String>) = (keys(reply.data()).unwrap(), keys(second.data()).unwrap());
    assert_eq!(first, second, "{operation}");
}

/// A reply that is ok can be read into the type that Rust callers get.
fn fits_its_type(operation: &str, data: &str) {
    macro_rules! read {
        ($($name:literal $type:ident)*) => {
            match operation {
                $($name => serde_json::from_str::<wire::$type>(data).map(|_| ()).map_err(|error| error.to_string()),)*
                _ => Ok(()),
            }
        };
    }
    let fits = read! {
        "postBookingAncillarySearch" PostBookingAncillarySearchReply
        "postBookingAncillaryOrder" PostBookingAncillaryOrderReply
        "refundQuotation" RefundQuotationReply
        "refund" RefundReply
        "queryRefundOrders" QueryRefundOrdersReply
        "voidQuotation" VoidQuotationReply
        "void" VoidReply
        "queryVoidOrders" QueryVoidOrdersReply
        "regenerateOrder" RegenerateOrderReply
        "stopTicket" StopTicketReply
        "orderList" OrderListReply
        "pnrClaim" PnrClaimReply
        "extractPnr" ExtractPnrReply
        "queryOrderDetails" QueryOrderDetailsReply
        "pay" PayReply
        "balance" BalanceReply
        "updateWebhookURL" UpdateWebhookUrlReply
    };
    assert_eq!(fits, Ok(()), "{operation}: {data}");
}
