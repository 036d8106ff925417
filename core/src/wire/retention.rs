//! What stays of a submit's raw reply once its outcome is settled: numbers, states and money.
//!
//! Until then the whole reply is stored, because a decode problem must not hide a success. Afterwards the fields
//! that a row flags as retained stay, at the place where the row stands, and everything else goes: names,
//! documents, free text, and every key that the contract does not know.

use super::shape::{Field, Kind, Shape};
use crate::json::{Member, Node};
use crate::reading::Texts;

/// Keys of the envelope that stay. Of its others, `msg` is free text and `clientRequestId` the caller's.
const ENVELOPE: &[&str] = &["status", "requestId", "uuid"];

/// Longer text is blanked: where a number, a code or an id belongs, no long text does.
const MAX_TEXT_BYTES: usize = 64;

/// The copy of a reply to retain, along the reply's shape; None if the reply is no JSON object. Values keep their
/// characters, keys their order, and a field that came by an older name keeps that name.
pub(crate) fn strip(shape: &Shape, reply: &[u8]) -> Option<String> {
    let texts = Texts::of(reply);
    let Some((Node::Obj(mut members), _)) = texts.parse() else { return None };
    strip_members(shape, ENVELOPE, &mut members);
    let mut out = String::new();
    Node::Obj(members).write(&mut out);
    Some(out)
}

/// The field of that name, older names included, if it is retained.
fn retained(shape: &Shape, key: &str) -> Option<&'static Field> {
    shape.fields.iter().find(|f| f.retained && (f.name == key || f.aliases.contains(&key)))
}

/// A reply may have a list where one value is documented, or the reverse; the kind of the single value decides.
fn strip_value(kind: &Kind, value: &mut Node<'_>) {
    match (kind, value) {
        (Kind::List(item), value) => strip_value(item, value),
        (kind, Node::Arr(items)) => items.iter_mut().for_each(|item| strip_value(kind, item)),
        (Kind::Object(shape), Node::Obj(members)) => strip_members(shape, &[], members),
        (_, Node::Obj(members)) => members.clear(),
        (_, Node::Str(text)) if text.len() > MAX_TEXT_BYTES => *text = "".into(),
        _ => {}
    }
}

/// `also` names keys that stay beside the retained fields; no message stands under them.
fn strip_members(shape: &Shape, also: &[&str], members: &mut Vec<Member<'_>>) {
    members.retain_mut(|(key, value)| {
        let kind = match retained(shape, key) {
            Some(field) => &field.kind,
            None if also.contains(&&**key) => &Kind::Text,
            None => return false,
        };
        strip_value(kind, value);
        true
    });
}

#[cfg(test)]
mod tests {
    use super::strip;
    use crate::wire::message::message;
    use crate::wire::shape::{Kind, Message, Shape};
    use crate::wire::*;

    #[track_caller]
    fn assert_strip<M: Message>(reply: &str, want: &str) {
        assert_eq!(strip(M::SHAPE, reply.as_bytes()).as_deref(), Some(want));
    }

    #[test]
    fn void() {
        assert_strip::<VoidReply>(
            r#"{
                "status": 0, "msg": "for JANE", "requestId": "r-1", "uuid": "u-1", "clientRequestId": "mine",
                "orderNo": "TESTA20260824224347375", "voidCode": "202608-0039", "voidStatus": "0",
                "cancelReason": "", "isVoidable": true, "voidOfferId": "v_1", "voidMethod": "CashBackToOriginalPayment",
                "fastConfirmation": null, "expectedConfirmationDate": "20260825", "expectedRefundDate": "20260901",
                "voidTickets": [{"name": "DOE/JANE", "lastName": "DOE", "ticketNo": "S87579", "currency": "USD"}],
                "voidFareAmount": {"currency": "USD", "originalFareAmount": 165.480, "estimatedRefundAmount": 1.0e2,
                    "displayOriginalFareAmount": 153.46, "displayEstimatedRefundAmount": 153.46},
                "voidPostTicketingServiceAmounts": [{"postTicketingOrderNo": "B1", "currency": "USD",
                    "originalPostTicketingServiceAmount": 20, "estimatedRefundAmount": 0,
                    "displayPostTicketingServiceAmount": 18.5, "displayEstimatedRefundAmount": 0}],
                "serviceFee": {"currency": "USD", "transactionFee": 3, "displayTransactionFee": 2.78, "note": "JANE"},
                "undocumented": "JANE"
            }"#,
            concat!(
                r#"{"status":0,"requestId":"r-1","uuid":"u-1","orderNo":"TESTA20260824224347375","#,
                r#""voidCode":"202608-0039","voidStatus":"0","isVoidable":true,"voidOfferId":"v_1","#,
                r#""voidMethod":"CashBackToOriginalPayment","expectedConfirmationDate":"20260825","#,
                r#""expectedRefundDate":"20260901","voidFareAmount":{"currency":"USD","originalFareAmount":165.480,"#,
                r#""estimatedRefundAmount":1.0e2},"voidPostTicketingServiceAmounts":[{"postTicketingOrderNo":"B1","#,
                r#""currency":"USD","originalPostTicketingServiceAmount":20,"estimatedRefundAmount":0}],"#,
                r#""serviceFee":{"currency":"USD","transactionFee":3}}"#
            ),
        );
    }

    #[test]
    fn refund() {
        assert_strip::<RefundReply>(
            r#"{
                "refundStatus": 0, "refundCode": "202505-0012", "cancelReason": "", "refundReason": "0",
                "displayCurrency": "EUR", "fastConfirmation": null, "expectedConfirmationDate": "20250522",
                "expectedRefundDate": "20250701", "refundQuoteType": "CannotQuote", "refundOfferId": "q_a86c",
                "refundMethod": "CashBackToOriginalPayment", "isRefundable": true,
                "refundTickets": [{"lastName": "ZHAO", "firstName": "YIER", "ticketNo": "S87579"}],
                "refundFareAmount": {"currency": "USD", "originalFareAmount": 165.48,
                    "estimatedRefundAmount": 165.48, "displayOriginalFareAmount": 153.46},
                "refundPostTicketingServiceAmounts": [], "refundVouchers": null,
                "serviceFee": {"currency": "USD", "transactionFee": 3, "displayTransactionFee": 2.78},
                "refundRules": [{"airline": "U2", "refundMethod": "CashBackToOriginalPayment"}],
                "currency": "USD", "refundAncillariesAmount": {"currency": "USD"},
                "referenceInformation": {"atlasPolicy": "text", "airline": "U2"},
                "orderNo": "TESTA20250512100600259", "status": 0, "msg": null
            }"#,
            concat!(
                r#"{"refundStatus":0,"refundCode":"202505-0012","expectedConfirmationDate":"20250522","#,
                r#""expectedRefundDate":"20250701","refundQuoteType":"CannotQuote","refundOfferId":"q_a86c","#,
                r#""refundMethod":"CashBackToOriginalPayment","isRefundable":true,"refundFareAmount":{"#,
                r#""currency":"USD","originalFareAmount":165.48,"estimatedRefundAmount":165.48},"#,
                r#""refundPostTicketingServiceAmounts":[],"serviceFee":{"currency":"USD","transactionFee":3},"#,
                r#""currency":"USD","orderNo":"TESTA20250512100600259","status":0}"#
            ),
        );
    }

    #[test]
    fn post_booking_ancillary_order() {
        assert_strip::<PostBookingAncillaryOrderReply>(
            r#"{
                "status": 0, "msg": null, "sessionId": "2cf48a2a", "orderNo": "BZYPU20250805170848969",
                "totalPrice": 23.07, "totalTransactionFee": 0.75, "currency": "USD", "vendorTotalPrice": 84.7,
                "vendorCurrency": "AED", "tktLimitTime": "2025-08-05 17:24:48",
                "paxTicketInfos": [{"name": "TEST/ONE", "birthday": "19900101", "cardNum": "00000000",
                    "contactEmails": ["test@example.com"], "ancillaries": [{"currency": "USD"}]}],
                "paymentOptions": [{"paymentMethod": 3, "serviceFee": {"amount": 0.75, "currency": "USD"}}],
                "ticketOrderNo": "ANGXV20250721232014646", "originalOrderNo": null, "pnrCode": "SOVID9",
                "includeExtraBaggage": 0, "routing": {"currency": "USD", "transactionFee": 7.18},
                "duplicateOrders": ["B1", "B2"], "offerId": null
            }"#,
            concat!(
                r#"{"status":0,"orderNo":"BZYPU20250805170848969","totalPrice":23.07,"totalTransactionFee":0.75,"#,
                r#""currency":"USD","tktLimitTime":"2025-08-05 17:24:48","ticketOrderNo":"ANGXV20250721232014646","#,
                r#""originalOrderNo":null,"duplicateOrders":["B1","B2"]}"#
            ),
        );
    }

    #[test]
    fn pay() {
        assert_strip::<PayReply>(
            r#"{
                "orderNo": "AFKMN20250819153129241", "pnrCode": "SOVID9", "paymentMethod": 3, "airlines": ["5J"],
                "status": 0, "msg": "success"
            }"#,
            r#"{"orderNo":"AFKMN20250819153129241","paymentMethod":3,"status":0}"#,
        );
    }

    #[test]
    fn regenerate_order() {
        assert_strip::<RegenerateOrderReply>(
            r#"{
                "sessionId": "b4eabebb", "offerId": null, "orderNo": "A1,A2", "originalOrderNo": "A0",
                "ticketOrderNo": null, "totalPrice": 954.02, "totalTransactionFee": 7.18, "currency": "CNY",
                "vendorTotalPrice": 498.21, "vendorCurrency": "SAR", "tktLimitTime": "2025-08-16 17:39:13",
                "pnrCode": "FNCHLR", "includeExtraBaggage": 0,
                "paxTicketInfos": [{"serialVersionUID": 6508292362378021000, "name": "DOE/JANE"}],
                "routing": {"fid": "x", "currency": "CNY", "transactionFee": 7.18}, "duplicateOrders": ["A9"],
                "paymentOptions": [{"paymentMethod": 1}], "status": 0, "msg": null
            }"#,
            concat!(
                r#"{"orderNo":"A1,A2","originalOrderNo":"A0","ticketOrderNo":null,"totalPrice":954.02,"#,
                r#""totalTransactionFee":7.18,"currency":"CNY","tktLimitTime":"2025-08-16 17:39:13","#,
                r#""duplicateOrders":["A9"],"status":0}"#
            ),
        );
    }

    #[test]
    fn stop_ticket() {
        assert_strip::<StopTicketReply>(
            r#"{"status":0,"msg":"We are trying to intercept the ticket issuance.","requestId":"r-1"}"#,
            r#"{"status":0,"requestId":"r-1"}"#,
        );
    }

    #[test]
    fn pnr_claim() {
        assert_strip::<PnrClaimReply>(
            r#"{"orderNo":"TESTC20241022100111040","pnrCode":"RCOFMU","status":0,"msg":null}"#,
            r#"{"orderNo":"TESTC20241022100111040","status":0}"#,
        );
    }

    #[test]
    fn values_of_another_type_than_documented() {
        let (fits, long) = ("x".repeat(64), "x".repeat(65));
        for (reply, want) in [
            (r#"{"orderNo":null,"voidCode":7,"isVoidable":"1"}"#, r#"{"orderNo":null,"voidCode":7,"isVoidable":"1"}"#),
            (r#"{"orderNo":{"name":"JANE","orderNo":"A1"}}"#, r#"{"orderNo":{}}"#),
            (r#"{"orderNo":["A1",{"name":"JANE"},["A2"]]}"#, r#"{"orderNo":["A1",{},["A2"]]}"#),
            (r#"{"status":{"msg":"JANE"}}"#, r#"{"status":{}}"#),
            (r#"{"serviceFee":[{"transactionFee":3,"x":1}]}"#, r#"{"serviceFee":[{"transactionFee":3}]}"#),
            (
                r#"{"voidPostTicketingServiceAmounts":{"currency":"USD","x":1}}"#,
                r#"{"voidPostTicketingServiceAmounts":{"currency":"USD"}}"#,
            ),
            (r#"{"voidCode":"1","voidCode":"2"}"#, r#"{"voidCode":"1","voidCode":"2"}"#),
            ("\u{feff}{\"status\":0}", r#"{"status":0}"#),
            (
                &format!(r#"{{"voidCode":"{fits}","orderNo":"{long}"}}"#),
                &format!(r#"{{"voidCode":"{fits}","orderNo":""}}"#),
            ),
            (&format!(r#"{{"serviceFee":"{long}"}}"#), r#"{"serviceFee":""}"#),
        ] {
            assert_strip::<VoidReply>(reply, want);
        }
    }

    #[test]
    fn a_flag_counts_only_at_its_place() {
        assert_strip::<VoidReply>(
            r#"{"transactionFee":1,"serviceFee":{"transactionFee":2,"voidCode":"JANE","status":0}}"#,
            r#"{"serviceFee":{"transactionFee":2}}"#,
        );
    }

    #[test]
    fn what_is_no_json_object_leaves_nothing() {
        for reply in [&b"<html>"[..], b"[1]", b"", b"\"x\"", b"{\"a\":1"] {
            assert_eq!(strip(VoidReply::SHAPE, reply), None, "{reply:?}");
        }
    }

    #[test]
    fn an_older_name_stays_as_it_came() {
        message! {
            /// A reply with a renamed field.
            Renamed {
                /// Called oldCode before.
                code "code" | "oldCode": Option<String>, retained;
                /// Called oldNote before.
                note "note" | "oldNote": Option<String>;
            }
        }
        assert_strip::<Renamed>(r#"{"oldCode":"7","oldNote":"JANE","older":1}"#, r#"{"oldCode":"7"}"#);
        assert_strip::<Renamed>(r#"{"code":"8","oldCode":"7"}"#, r#"{"code":"8","oldCode":"7"}"#);
    }

    /// Replies of submits, and what they nest.
    const SUBMITS: &[&Shape] = &[
        PostBookingAncillaryOrderReply::SHAPE,
        RefundReply::SHAPE,
        VoidReply::SHAPE,
        RegenerateOrderReply::SHAPE,
        StopTicketReply::SHAPE,
        PnrClaimReply::SHAPE,
        PayReply::SHAPE,
    ];

    #[test]
    fn only_replies_of_submits_are_flagged() {
        fn reach(shape: &'static Shape, found: &mut Vec<&'static str>) {
            found.push(shape.name);
            for field in shape.fields.iter().filter(|f| f.retained) {
                if let &(Kind::Object(nested) | Kind::List(&Kind::Object(nested))) = &field.kind {
                    reach(nested, found);
                }
            }
        }
        let mut reached = Vec::new();
        SUBMITS.iter().for_each(|shape| reach(shape, &mut reached));
        for shape in all_messages().filter(|shape| shape.fields.iter().any(|f| f.retained)) {
            assert!(reached.contains(&shape.name), "{} is in no reply of a submit", shape.name);
        }
    }

    #[test]
    fn nothing_private_is_retained() {
        for shape in all_messages() {
            for field in shape.fields.iter().filter(|f| f.retained) {
                let nested = matches!(field.kind, Kind::Object(_) | Kind::List(Kind::Object(_)));
                assert!(nested || field.loggable, "{}.{} is private", shape.name, field.name);
            }
        }
    }
}
