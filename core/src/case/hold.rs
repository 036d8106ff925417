//! What a case keeps other cases from touching, and how the store writes it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::sha256_hex;

/// One thing that only one case at a time may act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hold {
    /// An order number.
    Order(String),
    /// Some passengers of an order, by position.
    Passengers { order: String, positions: Vec<usize> },
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
/// Before the order; the positions follow after `#`.
const PASSENGERS: &str = "pax:";

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
            Hold::Passengers { order, positions } => {
                let positions: Vec<String> = positions.iter().map(usize::to_string).collect();
                format!("{PASSENGERS}{order}#{}", positions.join(","))
            }
            Hold::Locator(locator) => format!("{LOCATOR}{locator}"),
            Hold::Offer(offer) => format!("{OFFER}{offer}"),
            Hold::Payment(order) => format!("{PAYMENT}{order}"),
            Hold::Claim(digest) => format!("{CLAIM}{digest}"),
        }
    }

    /// The order that it keeps others from, in whole or in part.
    pub fn order(&self) -> Option<&str> {
        match self {
            Hold::Order(order) | Hold::Passengers { order, .. } => Some(order),
            _ => None,
        }
    }

    /// The stored texts from the first to before the second are those of some passengers of this order, and perhaps of
    /// an order whose number begins with it and `#`.
    pub fn passenger_texts(order: &str) -> (String, String) {
        (format!("{PASSENGERS}{order}#"), format!("{PASSENGERS}{order}$"))
    }

    /// Whether two cases cannot have both. Everybody collides with each passenger.
    pub fn overlaps(&self, other: &Hold) -> bool {
        match (self, other) {
            (Hold::Passengers { order, positions }, Hold::Passengers { order: theirs, positions: others }) => {
                order == theirs && positions.iter().any(|position| others.contains(position))
            }
            (Hold::Order(_) | Hold::Passengers { .. }, Hold::Order(_) | Hold::Passengers { .. }) => {
                self.order() == other.order()
            }
            _ => self == other,
        }
    }

    pub fn from_text(text: &str) -> Hold {
        if let Some((order, positions)) = text.strip_prefix(PASSENGERS).and_then(|rest| rest.rsplit_once('#'))
            && let Ok(positions) = positions.split(',').map(str::parse).collect()
        {
            return Hold::Passengers { order: order.to_owned(), positions };
        }
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
            Hold::Passengers { order: "TEST#A1".into(), positions: vec![1, 3] },
            Hold::locator("abc123"),
            Hold::Offer("q_1".into()),
            Hold::Payment("TESTA1".into()),
            Hold::claim(b"x"),
        ];
        let text = serde_json::to_string(&holds).unwrap();
        assert!(
            text.starts_with(r#"["TESTA1","pax:TEST#A1#1,3","pnr:ABC123","offer:q_1","paid:TESTA1","claim:"#),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Vec<Hold>>(&text).unwrap(), holds);
    }

    proptest::proptest! {
        #[test]
        fn some_overlap_by_passenger_and_everybody_with_each(
            a in proptest::collection::vec(1usize..6, 1..5), b in proptest::collection::vec(1usize..6, 1..5),
        ) {
            let hold = |order: &str, positions: &[usize]| {
                Hold::Passengers { order: order.into(), positions: positions.to_vec() }
            };
            let (some, others, all) = (hold("O", &a), hold("O", &b), Hold::Order("O".into()));
            let share = a.iter().any(|position| b.contains(position));
            assert_eq!((some.overlaps(&others), others.overlaps(&some)), (share, share));
            assert!(some.overlaps(&some) && some.overlaps(&all) && all.overlaps(&some));
            for other in [hold("P", &a), Hold::Order("P".into()), Hold::Payment("O".into()), Hold::Offer("O".into())] {
                assert!(!some.overlaps(&other) && !other.overlaps(&some), "{other:?}");
            }
        }
    }
}
