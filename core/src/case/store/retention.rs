//! What is retained of a submit's raw reply once its outcome is settled: an allow-list, so that an unlisted field is
//! removed.

use crate::json::Node;

/// Numbers, states and money. No names, no documents, no free text.
const ALLOWED: &[&str] = &[
    "status",
    "orderNo",
    "ticketOrderNo",
    "originalOrderNo",
    "duplicateOrders",
    "refundCode",
    "voidCode",
    "refundStatus",
    "voidStatus",
    "refundOfferId",
    "voidOfferId",
    "isRefundable",
    "isVoidable",
    "refundQuoteType",
    "refundMethod",
    "voidMethod",
    "expectedConfirmationDate",
    "expectedRefundDate",
    "refundFareAmount",
    "voidFareAmount",
    "refundPostTicketingServiceAmounts",
    "voidPostTicketingServiceAmounts",
    "postTicketingOrderNo",
    "serviceFee",
    "transactionFee",
    "currency",
    "originalFareAmount",
    "estimatedRefundAmount",
    "originalPostTicketingServiceAmount",
    "actualRefundAmount",
    "totalPrice",
    "totalTransactionFee",
    "tktLimitTime",
    "paymentMethod",
    "requestId",
    "uuid",
];

/// The allow-listed copy; None if the reply is no JSON object.
pub(crate) fn strip(reply: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(reply).ok()?;
    let mut node = Node::parse(text.strip_prefix('\u{feff}').unwrap_or(text)).ok()?;
    if !matches!(node, Node::Obj(_)) {
        return None;
    }
    keep(&mut node);
    let mut out = String::new();
    node.write(&mut out);
    Some(out)
}

fn keep(node: &mut Node<'_>) {
    match node {
        Node::Obj(members) => {
            members.retain(|(key, _)| ALLOWED.contains(&&**key));
            members.iter_mut().for_each(|(_, value)| keep(value));
        }
        Node::Arr(items) => items.iter_mut().for_each(keep),
        // Where a number or a code belongs, no long text does.
        Node::Str(text) if text.len() > 64 => *text = "".into(),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn keeps_what_is_allowed_and_nothing_else() {
        let reply = br#"{"status":0,"msg":"for JANE","voidCode":"202603-0001","voidTickets":[{"lastName":"DOE"}],"serviceFee":{"currency":"USD","note":"JANE","transactionFee":0}}"#;
        assert_eq!(
            strip(reply).as_deref(),
            Some(r#"{"status":0,"voidCode":"202603-0001","serviceFee":{"currency":"USD","transactionFee":0}}"#)
        );
        assert_eq!(strip(b"<html>"), None);
        assert_eq!(strip(b"[1]"), None);
    }
}
