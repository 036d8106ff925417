//! What a claim is found by: the booking, as rows of orderList are compared with it. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::passengers::{Asked, fold};
use crate::digest::sha256_hex;
use crate::wire::{FlightRequest, OrderSummary};

/// See the module. No name is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClaimedBooking {
    /// Digests of the passengers' names.
    people: Vec<String>,
    /// The first departure, `yyyyMMdd`.
    day: Option<String>,
}

impl ClaimedBooking {
    /// From the request of a claim. `key`: of the case, it salts the digests.
    pub fn of(key: &str, passengers: &[Value], flights: &[FlightRequest]) -> ClaimedBooking {
        let name = |item: &Value| match Asked::read(item) {
            Some(Asked::Name(name)) => Some(digest(key, &name)),
            _ => None,
        };
        let days = flights.iter().filter_map(|f| Some(day(f.dep_time.as_ref()?.as_str()))).filter(|day| day.len() == 8);
        ClaimedBooking { people: passengers.iter().filter_map(name).collect(), day: days.min() }
    }

    /// Whether a row is this booking, by all that it shows of date and passengers. Airlines use locators again.
    pub fn is_in(&self, key: &str, row: &OrderSummary) -> bool {
        let theirs = row.dep_date.as_ref().map(|date| day(date.as_str()));
        let is_other_day = self.day.as_ref().zip(theirs.as_ref()).is_some_and(|(mine, theirs)| mine != theirs);
        let names = row.pax_names.iter().flat_map(|text| text.split([',', '|', ';']));
        let people: Vec<String> = names.map(|name| digest(key, name)).collect();
        !is_other_day && (people.is_empty() || self.people.iter().all(|person| people.contains(person)))
    }
}

fn day(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).take(8).collect()
}

fn digest(key: &str, name: &str) -> String {
    sha256_hex(format!("{key}|{}", fold(name)).as_bytes())
}
