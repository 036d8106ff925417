//! Writing a message as replies have it: every documented key in the order of its table, null where there is no
//! value (`[]` where the field is never null). Requests are written by serde instead, which leaves absent fields out.

use std::slice::Iter;

use super::shape::{Field, Message, Shape, Slot};

/// The message as replies have it.
pub(crate) fn to_json(message: &impl Message) -> String {
    let mut out = String::with_capacity(256);
    message.write_complete(&mut out);
    out
}

/// Writes the members of one message.
pub(crate) struct Members<'o> {
    out: &'o mut String,
    fields: Iter<'static, Field>,
    separator: &'static str,
}

impl<'o> Members<'o> {
    pub fn begin(shape: &'static Shape, out: &'o mut String) -> Members<'o> {
        out.push('{');
        Members { out, fields: shape.fields.iter(), separator: "" }
    }

    /// The value of the table's next row.
    pub fn field<T: Slot>(mut self, value: &T) -> Members<'o> {
        let Some(field) = self.fields.next() else { return self };
        self.out.push_str(self.separator);
        self.separator = ",";
        self.out.push_str(field.key);
        match (value.is_absent(), field.never_null) {
            (false, _) => value.write_complete(self.out),
            (true, true) => self.out.push_str("[]"),
            (true, false) => self.out.push_str("null"),
        }
        self
    }

    pub fn end(self) {
        self.out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::to_json;
    use crate::wire::*;

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    /// The bytes of a case in replies and exports.
    #[test]
    fn a_case() {
        let case = Case {
            id: text("c-1"),
            key: text("k \"1\"\u{1}\u{7f}é"),
            kind: text("cancel"),
            via: text("refund"),
            order_no: text("TESTA1"),
            passengers: vec![1.into(), 3.into()],
            offer_id: text("q_1"),
            code: None,
            outcome: text("unknown"),
            state: text("needs_human"),
            vendor_code: Some(Code::Number(-3)),
            r#final: Some(false),
            adopted: Some(false),
            reopened: Some(true),
            purged: Some(false),
            watched_until: Some("2026-04-01T07:00:01Z".into()),
            change: Some(4711.into()),
            money: Some(CaseMoney {
                currency: text("USD"),
                paid: None,
                estimated_refund: Amount::parse("165.480"),
                fee: Amount::parse("3"),
                actual_refund: None,
            }),
            deadline: Some("2026-03-02T08:00:00Z".into()),
            deadline_source: text("voidWindow"),
            next_due_at: None,
            created_at: Some("2026-03-02T07:00:00.25Z".into()),
            updated_at: Some("2026-03-02T07:00:01Z".into()),
            steps: vec![
                CaseStep {
                    name: text("void"),
                    outcome: text("not_executed"),
                    attempts: Some(1.into()),
                    sent_at: None,
                    at: Some("2026-03-02T07:00:00Z".into()),
                    request_id: None,
                },
                CaseStep {
                    name: text("refund"),
                    outcome: text("unknown"),
                    attempts: Some(i64::from(u32::MAX).into()),
                    sent_at: Some("2026-03-02T07:00:00.5Z".into()),
                    at: Some("2026-03-02T07:00:01Z".into()),
                    request_id: text("req-1"),
                },
            ],
            evidence: vec![CaseEvidence {
                at: Some("2026-03-02T07:00:01Z".into()),
                what: text("line 1\nline 2\t\\ </script>"),
                strength: text("human"),
            }],
            error: Some(CaseError {
                code: text("timeout"),
                status: Some((-24).into()),
                message: text("no answer"),
                vendor_status: Some(814.into()),
                vendor_code: None,
            }),
        };
        assert_eq!(
            to_json(&case),
            concat!(
                r#"{"id":"c-1","key":"k \"1\"\u0001"#,
                "\u{7f}",
                r#"é","kind":"cancel","via":"refund","orderNo":"TESTA1","passengers":[1,3],"offerId":"q_1","code":null,"#,
                r#""outcome":"unknown","state":"needs_human","vendorCode":-3,"final":false,"adopted":false,"#,
                r#""reopened":true,"purged":false,"watchedUntil":"2026-04-01T07:00:01Z","change":4711,"#,
                r#""money":{"currency":"USD","paid":null,"estimatedRefund":"165.480","fee":"3","#,
                r#""actualRefund":null},"deadline":"2026-03-02T08:00:00Z","deadlineSource":"voidWindow","#,
                r#""nextDueAt":null,"createdAt":"2026-03-02T07:00:00.25Z","updatedAt":"2026-03-02T07:00:01Z","#,
                r#""steps":[{"name":"void","outcome":"not_executed","attempts":1,"sentAt":null,"#,
                r#""at":"2026-03-02T07:00:00Z","requestId":null},"#,
                r#"{"name":"refund","outcome":"unknown","attempts":4294967295,"#,
                r#""sentAt":"2026-03-02T07:00:00.5Z","at":"2026-03-02T07:00:01Z","requestId":"req-1"}],"#,
                r#""evidence":[{"at":"2026-03-02T07:00:01Z","what":"line 1\nline 2\t\\ </script>","#,
                r#""strength":"human"}],"error":{"code":"timeout","status":-24,"message":"no answer","#,
                r#""vendorStatus":814,"vendorCode":null}}"#
            )
        );
    }

    #[test]
    fn a_case_without_anything() {
        assert_eq!(
            to_json(&Case::default()),
            concat!(
                r#"{"id":null,"key":null,"kind":null,"via":null,"orderNo":null,"passengers":null,"offerId":null,"code":null,"#,
                r#""outcome":null,"state":null,"vendorCode":null,"final":null,"adopted":null,"reopened":null,"#,
                r#""purged":null,"watchedUntil":null,"change":null,"money":null,"deadline":null,"deadlineSource":null,"#,
                r#""nextDueAt":null,"createdAt":null,"updatedAt":null,"steps":[],"evidence":[],"error":null}"#
            )
        );
    }

    #[test]
    fn a_plan() {
        let plan = CasePlanReply {
            order_no: text("TESTA1"),
            ticketed: Some(true),
            void: Some(CaseWay {
                possible: Some(true),
                offer_id: text("v_1"),
                money: Some(CaseMoney { currency: text("USD"), ..CaseMoney::default() }),
                deadline: Some("2026-03-02T08:00:00Z".into()),
                deadline_source: text("voidWindow"),
                quote_type: None,
                method: text("CashBackToOriginalPayment"),
                error: None,
            }),
            refund: Some(CaseWay {
                possible: Some(false),
                error: Some(CaseError { code: text("guard_not_refundable"), ..CaseError::default() }),
                ..CaseWay::default()
            }),
            better: text("void"),
            reason: text("only a void is possible"),
        };
        assert_eq!(
            to_json(&plan),
            concat!(
                r#"{"orderNo":"TESTA1","ticketed":true,"void":{"possible":true,"offerId":"v_1","#,
                r#""money":{"currency":"USD","paid":null,"estimatedRefund":null,"fee":null,"actualRefund":null},"#,
                r#""deadline":"2026-03-02T08:00:00Z","deadlineSource":"voidWindow","quoteType":null,"#,
                r#""method":"CashBackToOriginalPayment","error":null},"refund":{"possible":false,"offerId":null,"#,
                r#""money":null,"deadline":null,"deadlineSource":null,"quoteType":null,"method":null,"#,
                r#""error":{"code":"guard_not_refundable","status":null,"message":null,"vendorStatus":null,"#,
                r#""vendorCode":null}},"better":"void","reason":"only a void is possible"}"#
            )
        );
    }

    #[test]
    fn the_other_replies_of_cases() {
        let list =
            CaseListReply { cases: vec![Case::default(), Case::default()], next: Some(Code::Other("c-2".to_owned())) };
        let one = to_json(&Case::default());
        assert_eq!(to_json(&list), format!("{{\"cases\":[{one},{one}],\"next\":\"c-2\"}}"));
        assert_eq!(to_json(&CaseListReply::default()), r#"{"cases":[],"next":null}"#);

        let follow = CaseFollowReply {
            done: Some(1.into()),
            due: Some(0.into()),
            open: Some(2.into()),
            next_due_at: Some("2026-03-02T08:00:00Z".into()),
            budget: Some(CaseBudget {
                per_second: Number::from_f64(0.5),
                burst: Some(5.into()),
                wait_ms: Some(120.into()),
            }),
        };
        assert_eq!(
            to_json(&follow),
            concat!(
                r#"{"done":1,"due":0,"open":2,"nextDueAt":"2026-03-02T08:00:00Z","#,
                r#""budget":{"perSecond":0.5,"burst":5,"waitMs":120}}"#
            )
        );
        assert_eq!(
            to_json(&CaseFollowReply::default()),
            r#"{"done":null,"due":null,"open":null,"nextDueAt":null,"budget":null}"#
        );

        let notify = CaseNotifyReply {
            r#type: text("order.void"),
            order_no: text("TESTA1"),
            code: None,
            duplicate: Some(false),
            cases: vec!["c-1".into(), "c-2".into()],
        };
        assert_eq!(
            to_json(&notify),
            r#"{"type":"order.void","orderNo":"TESTA1","code":null,"duplicate":false,"cases":["c-1","c-2"]}"#
        );
        assert_eq!(
            to_json(&CaseNotifyReply::default()),
            r#"{"type":null,"orderNo":null,"code":null,"duplicate":null,"cases":[]}"#
        );

        let export = CaseExportReply { ndjson: text("{\"id\":\"c-1\"}\n"), count: Some(1.into()), next: None };
        assert_eq!(to_json(&export), r#"{"ndjson":"{\"id\":\"c-1\"}\n","count":1,"next":null}"#);
        assert_eq!(to_json(&CasePurgeReply { purged: Some(3.into()) }), r#"{"purged":3}"#);
    }

    #[test]
    fn each_type_of_value() {
        assert_eq!(to_json(&StopTicketReply {}), "{}");
        let summary = OrderSummary {
            airline_pnrs: vec!["ABC123".into()],
            order_status: Some(Code::Other("new\"".into())),
            dep_date: Some("2026-05-22".into()),
            ..OrderSummary::default()
        };
        assert_eq!(
            to_json(&summary),
            concat!(
                r#"{"orderNo":null,"pnrCode":null,"airlinePNRs":["ABC123"],"orderStatus":"new\"","#,
                r#""depDate":"2026-05-22","airlines":null,"orderCreateTimestamp":null,"paymentTimestamp":null,"#,
                r#""paxNames":null,"contactEmail":null,"fromCity":null,"toCity":null,"errorCode":null,"#,
                r#""errorMessage":null}"#
            )
        );
        let webhook =
            WebhookReply { data: Some(serde_json::json!({ "a": [1, null, "x\u{1f}"] })), ..WebhookReply::default() };
        assert!(to_json(&webhook).ends_with(r#""hint":null,"data":{"a":[1,null,"x\u001f"]}}"#));
        for (rate, want) in [(2.0, Some("2")), (0.05, Some("0.05")), (1e-7, Some("0.0000001")), (f64::NAN, None)] {
            assert_eq!(Number::from_f64(rate).as_ref().map(Number::as_str), want);
        }
    }

    /// What a caller reads in a typed reply is what is written.
    #[test]
    fn is_read_back() {
        let text = r#"{"page":1,"pageSize":2.50,"totalRecords":12345678901234567890,"orders":[]}"#;
        let reply: OrderListReply = serde_json::from_str(text).unwrap();
        assert_eq!(to_json(&reply), text);
    }
}
