//! Reply bodies for the benchmarks: the vendor's field names and types with invented values.
#![allow(clippy::print_stdout, clippy::expect_used, clippy::indexing_slicing)]

pub mod cases;

/// A small reply: one order of a refund query, about 1.6 kB.
pub fn small() -> String {
    let rule = r#"{"airline":"ZZ","ruleType":"1","passengerType":"ADT","penaltyAmount":"48.00 USD","penaltyPercent":0,"penaltyPercentBase":"fare+tax","airlineFee":"0.00 USD","taxRefundable":true,"fareRefundable":true,"refundableAncillaries":["StandardCheckInBaggage"],"startMinute":525600,"endMinute":-525600,"refundMethod":"CashBackToOriginalPayment"}"#;
    format!(
        r#"{{"status":0,"msg":null,"refundOrders":[{{"orderNo":"TESTA20260302160000123","refundCode":"202603-0007","displayCurrency":"EUR","expectedConfirmationDate":"20260312","expectedRefundDate":"20260501","refundQuoteType":"AccurateQuote","refundTickets":[{{"name":"DOE/JANE","lastName":"DOE","firstName":"JANE","ticketNo":"S11111"}},{{"name":"DOE/JOHN","lastName":"DOE","firstName":"JOHN","ticketNo":"S22222"}}],"refundFareAmount":{{"currency":"USD","originalFareAmount":165.48,"estimatedRefundAmount":117.48,"displayOriginalFareAmount":153.46,"displayEstimatedRefundAmount":108.95}},"refundPostTicketingServiceAmounts":[{{"postTicketingOrderNo":"TESTB20260302170000123","currency":"USD","originalPostTicketingServiceAmount":22.88,"estimatedRefundAmount":11.44}}],"refundVouchers":null,"serviceFee":{{"currency":"USD","transactionFee":3.00,"displayTransactionFee":2.78}},"refundRules":[{rule},{rule}],"refundStatus":1,"cancelReason":"","refundOfferId":"q_0123456789abcdef0123456789abcdef","refundMethod":"CashBackToOriginalPayment","fareFamilyHint":"basic"}}]}}"#
    )
}

/// The same order as the reply to a refund quotation.
pub fn quote() -> String {
    small().replace(r#""refundOrders":[{"#, "").replace(r#""basic"}]}"#, r#""basic"}"#)
}

/// A page of the order list with `orders` orders; 13,000 are about 5 MB.
pub fn list(orders: usize) -> String {
    let mut out = format!(r#"{{"status":0,"msg":null,"page":1,"pageSize":{orders},"totalRecords":{orders},"orders":["#);
    for n in 0..orders {
        if n > 0 {
            out.push(',');
        }
        out.push_str(&format!(
            r#"{{"orderNo":"TESTA202603021600{n:05}","pnrCode":"Z{n:05}","airlinePNRs":["F{n:05}","G{n:05}"],"orderStatus":2,"depDate":"20260401","airlines":["ZZ"],"orderCreateTimestamp":"2026-03-02T08:00:00Z","paymentTimestamp":"2026-03-02T08:00:11Z","paxNames":["DOE/JANE","DOE/JOHN"],"contactEmail":"jane@example.com","fromCity":"CNX","toCity":"BKK","errorCode":null,"errorMessage":null,"totalPrice":{n}.50}}"#
        ));
    }
    out.push_str("]}");
    out
}

/// The length and the path of the first complete request.
pub fn request(bytes: &[u8]) -> Option<(usize, &str)> {
    let head = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(bytes.get(..head)?).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    let whole = head + length.unwrap_or(0);
    let path = text.split(' ').nth(1)?;
    (bytes.len() >= whole).then_some((whole, path))
}
