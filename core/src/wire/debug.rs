//! `Debug` of messages: debug texts end in logs, so a value is shown only where its field is loggable.

use std::fmt;
use std::slice::Iter;

use super::shape::{Field, Kind, Shape, Slot};

/// What stands for a value that is there and must not be shown.
const PRIVATE: &str = "(private)";

/// Writes the members of a message that are there, in the order of its table.
pub(crate) struct Members<'f, 'w> {
    shown: fmt::DebugStruct<'f, 'w>,
    fields: Iter<'static, Field>,
}

impl<'f, 'w> Members<'f, 'w> {
    pub fn begin(shape: &'static Shape, f: &'f mut fmt::Formatter<'w>) -> Members<'f, 'w> {
        Members { shown: f.debug_struct(shape.name), fields: shape.fields.iter() }
    }

    /// The value of the table's next row.
    pub fn field<T: Slot + fmt::Debug>(mut self, value: &T) -> Members<'f, 'w> {
        let Some(field) = self.fields.next() else { return self };
        if value.is_absent() {
            return self;
        }
        if is_shown(field) {
            self.shown.field(field.ident, value);
        } else {
            self.shown.field(field.ident, &format_args!("{PRIVATE}"));
        }
        self
    }

    pub fn end(mut self) -> fmt::Result {
        self.shown.finish_non_exhaustive()
    }
}

/// A nested message hides its own private fields. One that has no other fields (a card, a contact) is hidden as a
/// whole: which of its fields are set says something already.
fn is_shown(field: &Field) -> bool {
    match message_of(&field.kind) {
        Some(shape) => shape.fields.iter().any(is_shown),
        None => field.loggable,
    }
}

/// The message that a field holds, alone or in a list.
fn message_of(kind: &Kind) -> Option<&'static Shape> {
    match kind {
        Kind::Object(shape) => Some(shape),
        Kind::List(item) => message_of(item),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_shown;
    use crate::wire::message::message;
    use crate::wire::shape::Shape;
    use crate::wire::{CasePayment, ClaimPassenger, Code, CreditCard, PayRequest, ThreeDs, WebhookReply, all_messages};

    #[test]
    fn debug_shows_no_card_and_no_passenger() {
        let card = CreditCard {
            card_number: Some("4111111111111111".into()),
            card_cvv: Some("737".into()),
            ..CreditCard::default()
        };
        let passenger = ClaimPassenger {
            name: Some("DOE/JANE".into()),
            passenger_type: Some(0.into()),
            ..ClaimPassenger::default()
        };
        let shown = format!("{card:?} {passenger:?}");
        assert!(!shown.contains("4111") && !shown.contains("737") && !shown.contains("DOE"), "{shown}");
        assert!(shown.contains("passenger_type"), "{shown}");
    }

    #[test]
    fn a_field_is_private_until_its_row_says_otherwise() {
        message! {
            /// Part of a new message.
            NewPart {
                /// Without a flag.
                note "note": Option<String>;
            }

            /// A new message.
            NewMessage {
                /// Without a flag.
                remark "remark": Option<String>;
                /// Without a flag, a list.
                remarks "remarks": Vec<String>;
                /// Without a flag, not set.
                absent "absent": Option<String>;
                /// With the flag.
                state "state": Option<Code>, loggable;
                /// Nothing in it has the flag.
                part "part": Option<NewPart>;
                /// Nothing in it has the flag.
                parts "parts": Vec<NewPart>;
            }
        }
        let part = NewPart { note: Some("JANE".into()) };
        let new = NewMessage {
            remark: Some("JANE".into()),
            remarks: vec!["JANE".into()],
            absent: None,
            state: Some(2.into()),
            part: Some(part.clone()),
            parts: vec![part.clone()],
        };
        assert_eq!(
            format!("{new:?}"),
            "NewMessage { remark: (private), remarks: (private), state: Some(Number(2)), \
             part: (private), parts: (private), .. }"
        );
        assert_eq!(format!("{part:?}"), "NewPart { note: (private), .. }");
    }

    #[test]
    fn a_card_is_hidden_in_whole_where_it_is_nested() {
        let card = CreditCard {
            card_number: Some("4111111111111111".into()),
            three_ds: Some(ThreeDs { ip: Some("192.0.2.1".into()) }),
            reusable: Some(true),
            payment_limit: Some(90.into()),
            ..CreditCard::default()
        };
        assert_eq!(
            format!("{card:?}"),
            "CreditCard { card_number: (private), three_ds: (private), reusable: (private), \
             payment_limit: (private), .. }"
        );
        let pay = PayRequest {
            order_no: Some("A1".into()),
            payment_method: Some(3.into()),
            credit_card: Some(card.clone()),
            ..PayRequest::default()
        };
        assert_eq!(
            format!("{pay:?}"),
            "PayRequest { order_no: Some(\"A1\"), payment_method: Some(Number(3)), credit_card: (private), .. }"
        );
        let payment = CasePayment { credit_card: Some(card), ..CasePayment::default() };
        assert_eq!(format!("{payment:?}"), "CasePayment { credit_card: (private), .. }");
    }

    #[test]
    fn a_raw_name_is_shown_as_rust_spells_it() {
        let reply = WebhookReply {
            r#type: Some("order.void".into()),
            data: Some(serde_json::json!({ "paxTicketInfos": [{ "name": "DOE/JANE" }] })),
            ..WebhookReply::default()
        };
        assert_eq!(format!("{reply:?}"), "WebhookReply { r#type: Some(\"order.void\"), data: (private), .. }");
    }

    /// Names that identify a person, a document, a contact or a card, or hold text that a person wrote: no field
    /// of these names may be loggable, in any message.
    const PRIVATE_NAMES: &[&str] = &[
        // persons
        "name",
        "lastName",
        "firstName",
        "birthday",
        "gender",
        "nationality",
        "paxName",
        "paxNames",
        "by",
        "row",
        "column",
        // documents, tickets, bookings at the airline
        "cardNum",
        "cardExpired",
        "cardIssuePlace",
        "cardType",
        "docType",
        "docNum",
        "municipality",
        "largeFamilyCert",
        "community",
        "ticketNo",
        "ticketNos",
        "airlinePnr",
        "airlinePNR",
        "airlinePNRs",
        "voucherCode",
        "itineraryDownload",
        "airlineWebSiteAddress",
        // contacts
        "contactEmails",
        "contactPhones",
        "contactEmail",
        "contactName",
        "contactPhone",
        "email",
        "mobile",
        "address",
        "postcode",
        "mmbEmail",
        "companyName",
        "useAtlasMailForContact",
        "emailSubject",
        "emailLink",
        "from",
        "to",
        "ip",
        "url",
        // cards
        "creditCard",
        "tailDigitsOfPaymentCard",
        "cardNumber",
        "cardCVV",
        "cardExpireMonth",
        "cardExpireYear",
        "cardHolderLastName",
        "cardHolderFirstName",
        "cardHolderCountry",
        "cardHolderProvince",
        "cardHolderCity",
        "cardHolderPostCode",
        "cardHolderAddress",
        "threeDS",
        // text that a person or the caller wrote, and what may hold anything
        "extras",
        "remark",
        "value",
        "note",
        "what",
        "cancelReason",
        "errorMessage",
        "airlineMessage",
        "atlasPolicy",
        "airlinePolicy",
        "description",
        "key",
        "clientOrderNo",
        "body",
        "data",
        "ndjson",
    ];

    #[test]
    fn private_names_are_hidden_in_every_message() {
        let messages: Vec<&Shape> = all_messages().collect();
        for name in PRIVATE_NAMES {
            let mut found = false;
            for shape in &messages {
                for field in shape.fields.iter().filter(|f| f.name == *name || f.aliases.contains(name)) {
                    found = true;
                    assert!(!is_shown(field), "{}.{name} is shown", shape.name);
                }
            }
            assert!(found, "no message has a field {name}");
        }
    }

    #[test]
    fn values_of_unknown_content_are_hidden() {
        use crate::wire::shape::Kind;
        for shape in all_messages() {
            for field in shape.fields {
                let any = matches!(field.kind, Kind::Any | Kind::List(Kind::Any));
                assert!(!(any && field.loggable), "{}.{} may hold anything", shape.name, field.name);
            }
        }
    }

    #[test]
    fn the_flag_stands_only_where_it_has_an_effect() {
        for shape in all_messages() {
            for field in shape.fields.iter().filter(|f| super::message_of(&f.kind).is_some()) {
                assert!(!field.loggable, "{}.{} is a message: its own fields decide", shape.name, field.name);
            }
        }
    }
}
