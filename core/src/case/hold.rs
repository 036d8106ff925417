//! What a case keeps other cases from touching, and how the store writes it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::sha256_hex;

/// One thing that only one case at a time may act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hold {
    /// An order number.
    Order(String),
    /// A booking that is being claimed, by its locator.
    Locator(String),
    /// An offer: two submits of one offer are one submit, however they name the order.
    Offer(String),
    /// The payment of an order. It stays when the case is closed: an order is paid once.
    Payment(String),
    /// A booking that is being claimed without a locator, by a digest of its passengers and flights.
    Claim(String),
}

const LOCATOR: &str = "pnr:";
const OFFER: &str = "offer:";
const PAYMENT: &str = "paid:";
const CLAIM: &str = "claim:";

impl Hold {
    /// Locators are compared in upper case.
    pub fn locator(locator: &str) -> Hold {
        Hold::Locator(locator.to_ascii_uppercase())
    }

    /// A claim without a locator, told apart by its content.
    pub fn claim(content: &[u8]) -> Hold {
        Hold::Claim(sha256_hex(content))
    }

    /// The text in the store.
    pub fn to_text(&self) -> String {
        match self {
            Hold::Order(order) => order.clone(),
            Hold::Locator(locator) => format!("{LOCATOR}{locator}"),
            Hold::Offer(offer) => format!("{OFFER}{offer}"),
            Hold::Payment(order) => format!("{PAYMENT}{order}"),
            Hold::Claim(digest) => format!("{CLAIM}{digest}"),
        }
    }

    fn from_text(text: &str) -> Hold {
        let rest = |prefix: &str| text.strip_prefix(prefix).map(str::to_owned);
        (rest(LOCATOR).map(Hold::Locator))
            .or_else(|| rest(OFFER).map(Hold::Offer))
            .or_else(|| rest(PAYMENT).map(Hold::Payment))
            .or_else(|| rest(CLAIM).map(Hold::Claim))
            .unwrap_or_else(|| Hold::Order(text.to_owned()))
    }
}

impl Serialize for Hold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for Hold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hold, D::Error> {
        String::deserialize(deserializer).map(|text| Hold::from_text(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_text_gives_the_same_hold() {
        let holds = [
            Hold::Order("TESTA1".into()),
            Hold::locator("abc123"),
            Hold::Offer("q_1".into()),
            Hold::Payment("TESTA1".into()),
            Hold::claim(b"x"),
        ];
        let text = serde_json::to_string(&holds).unwrap();
        assert!(text.starts_with(r#"["TESTA1","pnr:ABC123","offer:q_1","paid:TESTA1","claim:"#), "{text}");
        assert_eq!(serde_json::from_str::<Vec<Hold>>(&text).unwrap(), holds);
    }
}
