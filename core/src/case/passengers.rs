//! Passengers of an order: who is asked for, by name or by position, and what the store keeps of them. Pure.
//!
//! The vendor's requests and lists carry names only. Its spelling differs between answers (titles, punctuation,
//! diacritics), so names are compared folded. No name is stored: a position, and salted digests.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::error::StoredError;
use crate::digest::sha256_hex;
use crate::error::ErrorCode;

/// Words that airlines add to the given name.
const TITLES: [&str; 7] = ["MSTR", "MISS", "MRS", "CHD", "INF", "MR", "MS"];

const ADULT: i64 = 0;
const CHILD: i64 = 1;
pub(crate) const INFANT: i64 = 2;
/// A type that the vendor does not say, or that is not one of its types.
pub(crate) const UNKNOWN: i64 = -1;

/// A name as it is compared: without marks, case, punctuation, spaces and titles. A name without a Latin letter stays
/// as it is.
pub(crate) fn fold(name: &str) -> String {
    let plain: String = name
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        // Lower case first: the capital ß has no other upper case.
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .filter(|c| c.is_ascii_uppercase() || *c == '/')
        .collect();
    if !plain.contains(|c: char| c.is_ascii_uppercase()) {
        return name.to_owned();
    }
    let mut folded = plain.as_str();
    while let Some(rest) = TITLES.iter().find_map(|title| folded.strip_suffix(title)) {
        // A given name that is nothing but a title is a name.
        if rest.is_empty() || rest.ends_with('/') {
            break;
        }
        folded = rest;
    }
    folded.to_owned()
}

pub(crate) fn same_name(a: &str, b: &str) -> bool {
    fold(a) == fold(b)
}

/// A passenger as queryOrderDetails shows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Passenger {
    pub name: String,
    /// 0 adult, 1 child, 2 infant, -1 unknown.
    pub kind: i64,
    pub birthday: String,
}

/// Who is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Asked {
    /// `FAMILY/GIVEN`.
    Name(String),
    /// From 1, in the order in which the store first read the passengers.
    Position(usize),
}

impl Asked {
    /// Reads one item of `passengers`.
    pub fn read(item: &Value) -> Option<Asked> {
        let text = |key: &str| item.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
        match (item.as_u64(), item.as_str(), text("name"), text("lastName"), text("firstName")) {
            (Some(position), ..) => usize::try_from(position).ok().filter(|p| *p > 0).map(Asked::Position),
            (_, Some(name), ..) | (_, None, Some(name), ..) => name.contains('/').then(|| Asked::Name(name.to_owned())),
            (_, _, _, Some(last), Some(first)) => Some(Asked::Name(format!("{last}/{first}"))),
            _ => None,
        }
    }
}

/// What the store keeps of one passenger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Known {
    /// Of the folded name.
    name: String,
    /// Of the folded name, the type and the birthday.
    person: String,
}

/// The passengers of an order as the store first read them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct OrderPassengers {
    salt: String,
    people: Vec<Known>,
}

/// The passengers that a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selection {
    /// From 1, as the store counts them, each once, in order; empty: everybody.
    pub positions: Vec<usize>,
    /// Indexes in the order as it is now.
    pub today: Vec<usize>,
}

impl OrderPassengers {
    pub fn of(people: &[Passenger], salt: String) -> OrderPassengers {
        let mut known = OrderPassengers { salt, people: Vec::new() };
        known.people =
            people.iter().map(|p| Known { name: known.name_digest(&p.name), person: known.person_digest(p) }).collect();
        known
    }

    fn name_digest(&self, name: &str) -> String {
        sha256_hex(format!("{}|{}", self.salt, fold(name)).as_bytes())
    }

    fn person_digest(&self, p: &Passenger) -> String {
        sha256_hex(format!("{}|{}|{}|{}", self.salt, fold(&p.name), p.kind, p.birthday).as_bytes())
    }

    fn is(&self, people: &[Passenger]) -> bool {
        self.people.len() == people.len()
            && self.people.iter().zip(people).all(|(known, p)| known.person == self.person_digest(p))
    }

    /// The positions that are asked for, by the digests alone; None if a name or position is not among them or does not
    /// tell. Everybody is the empty list.
    pub fn positions(&self, asked: &[Asked]) -> Option<Vec<usize>> {
        let mut positions = BTreeSet::new();
        for item in asked {
            match item {
                Asked::Position(position) if *position <= self.people.len() => {
                    positions.insert(*position);
                }
                Asked::Position(_) => return None,
                Asked::Name(name) => {
                    let digest = self.name_digest(name);
                    let alike: Vec<usize> = self.positions_of(|known| known.name == digest);
                    let times =
                        asked.iter().filter(|a| matches!(a, Asked::Name(other) if same_name(other, name))).count();
                    let is_position = |at: &usize| asked.contains(&Asked::Position(*at));
                    // Two of one name: both are asked for, or both are meant.
                    let all = times >= alike.len() || alike.iter().all(is_position);
                    if alike.is_empty() || !all {
                        return None;
                    }
                    positions.extend(alike);
                }
            }
        }
        let everybody = positions.len() == self.people.len();
        Some(if everybody { Vec::new() } else { positions.into_iter().collect() })
    }

    fn positions_of(&self, is_meant: impl Fn(&Known) -> bool) -> Vec<usize> {
        self.people.iter().enumerate().filter(|(_, known)| is_meant(known)).map(|(i, _)| i + 1).collect()
    }

    /// Whether nobody is missing in the order as it is now.
    pub fn is_whole(&self, today: &[Passenger]) -> bool {
        let everybody: Vec<usize> = (1..=self.people.len()).collect();
        self.indexes(&everybody, today).len() == self.people.len()
    }

    /// Where these positions are in the order as it is now, each once; those who are not in it are left out.
    pub fn indexes(&self, positions: &[usize], today: &[Passenger]) -> Vec<usize> {
        let mut found = Vec::new();
        for known in positions.iter().filter_map(|at| self.people.get(at.checked_sub(1)?)) {
            let is_person = |i: &usize| today.get(*i).is_some_and(|p| self.person_digest(p) == known.person);
            found.extend((0..today.len()).find(|i| !found.contains(i) && is_person(i)));
        }
        found.sort_unstable();
        found
    }

    /// Who is asked for, in the order as it is now. `lists_tickets`: the quotation will show a ticket per person, which
    /// tells two of one name apart where they are asked for by position.
    pub fn select(&self, asked: &[Asked], today: &[Passenger], lists_tickets: bool) -> Result<Selection, StoredError> {
        let refuse = |what: String| Err(guard_of(&what, today));
        if asked.is_empty() {
            return Ok(Selection { positions: Vec::new(), today: (0..today.len()).collect() });
        }
        let by_position = asked.iter().any(|a| matches!(a, Asked::Position(_)));
        if by_position && !self.is(today) {
            return refuse("the order's passengers, or their order, are not those that the positions count".to_owned());
        }
        for (i, item) in asked.iter().enumerate() {
            match item {
                Asked::Position(position) if *position > today.len() => {
                    return refuse(format!("/passengers/{i} is not a position of this order"));
                }
                Asked::Name(name) if !today.iter().any(|p| same_name(&p.name, name)) => {
                    return refuse(format!("/passengers/{i} is not a passenger of this order"));
                }
                _ => {}
            }
        }
        let Some(positions) = self.positions(asked) else {
            return refuse(
                "`passengers` names somebody whom the store does not know of this order, or one of two with one name"
                    .to_owned(),
            );
        };
        let meant: Vec<usize> =
            if positions.is_empty() { (1..=self.people.len()).collect() } else { positions.clone() };
        let found = self.indexes(&meant, today);
        if found.len() != meant.len() {
            return refuse("a passenger asked for is not one whom the store knows of this order".to_owned());
        }
        if shares_name(&found, today) && !(lists_tickets && by_position) {
            return refuse("two passengers have one name, and requests carry names only".to_owned());
        }
        Ok(Selection { positions, today: found })
    }
}

/// Whether one of these has the name of a passenger who is not among them.
pub(crate) fn shares_name(some: &[usize], today: &[Passenger]) -> bool {
    let name = |i: usize| today.get(i).map(|p| fold(&p.name));
    some.iter().any(|i| (0..today.len()).any(|other| !some.contains(&other) && name(other) == name(*i)))
}

/// Indexes of those whom others may travel with.
pub(crate) fn adults(today: &[Passenger]) -> impl Iterator<Item = usize> {
    today.iter().enumerate().filter(|(_, p)| p.kind == ADULT).map(|(i, _)| i)
}

/// When some go: nobody is left who may not travel alone. `gone` have a refund already.
pub(crate) fn check_company(going: &[usize], gone: &[usize], today: &[Passenger]) -> Result<(), StoredError> {
    let count = |kinds: fn(i64) -> bool, of: &dyn Fn(usize) -> bool| {
        today.iter().enumerate().filter(|(i, p)| of(*i) && kinds(p.kind)).count()
    };
    let left = |i: usize| !going.contains(&i) && !gone.contains(&i);
    let adults = count(|kind| kind == ADULT, &left);
    let children = count(|kind| kind == CHILD, &left);
    let infants = count(|kind| kind == INFANT, &left);
    let what = match () {
        () if infants > adults => "more infants than adults would be left",
        () if children > 0 && adults == 0 => "a child would be left without an adult",
        () => return Ok(()),
    };
    Err(guard_of(what, today))
}

/// Whether the tickets of a quotation are exactly one for each of these people.
pub(crate) fn check_tickets(people: &[&str], tickets: &[String]) -> Result<(), StoredError> {
    let sorted = |names: &mut dyn Iterator<Item = String>| {
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names
    };
    let wanted = sorted(&mut people.iter().map(|name| fold(name)));
    if wanted == sorted(&mut tickets.iter().map(|name| fold(name))) {
        return Ok(());
    }
    let (asked, got) = (people.len(), tickets.len());
    Err(guard(&format!(
        "the quotation is for {got} tickets, not exactly for those of the {asked} passengers asked for"
    )))
}

pub(crate) fn guard(message: &str) -> StoredError {
    StoredError::new(ErrorCode::GuardPassengers, message)
}

/// As [`guard`], with today's passengers by position and type, never by name.
fn guard_of(message: &str, today: &[Passenger]) -> StoredError {
    let kind = |kind| match kind {
        ADULT => "adult",
        CHILD => "child",
        INFANT => "infant",
        _ => "of unknown type",
    };
    let passengers = today.iter().enumerate().map(|(i, p)| format!("{} {}", i + 1, kind(p.kind))).collect();
    StoredError { passengers, ..guard(message) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn person(name: &str, kind: i64, birthday: &str) -> Passenger {
        Passenger { name: name.into(), kind, birthday: birthday.into() }
    }

    fn names(names: &[&str]) -> Vec<Asked> {
        names.iter().map(|n| Asked::Name((*n).to_owned())).collect()
    }

    fn known(people: &[Passenger]) -> OrderPassengers {
        OrderPassengers::of(people, "salt".to_owned())
    }

    #[test]
    fn names_are_folded() {
        for (name, folded) in [
            ("O'Brien/Seán Mr", "OBRIEN/SEAN"),
            ("MÜLLER-LÜDENSCHEIDT/ANNA MRS", "MULLERLUDENSCHEIDT/ANNA"),
            ("Weiß/Jürgen", "WEISS/JURGEN"),
            ("WEIẞ/JÜRGEN", "WEISS/JURGEN"),
            ("DOE/JANE MSTR", "DOE/JANE"),
            ("DOE/MR", "DOE/MR"),
            ("MISS/MISS", "MISS/MISS"),
            ("Ｄｏｅ/Ｊane", "DOE/JANE"),
            ("王/小明", "王/小明"),
        ] {
            assert_eq!(fold(name), folded, "{name}");
        }
    }

    #[test]
    fn positions_of_another_order_of_passengers_are_refused() {
        let people = [person("A/B", 0, "1"), person("C/D", 0, "2"), person("E/F", 1, "3")];
        let store = known(&people);
        let mut reordered = people.to_vec();
        reordered.swap(0, 1);
        for today in [&reordered[..], &people[1..]] {
            let error = store.select(&[Asked::Position(2)], today, true).unwrap_err();
            assert_eq!(error.code, ErrorCode::GuardPassengers);
            assert!(error.passengers.contains(&"1 adult".to_owned()), "{error:?}");
            assert!(!format!("{error:?}").contains("C/D"), "{error:?}");
            // A name tells all the same, and keeps its position.
            let selection = store.select(&names(&["C/D"]), today, true).unwrap();
            assert_eq!((selection.positions, selection.today), (vec![2], vec![0]));
        }
    }

    #[test]
    fn everybody_is_no_selection_and_a_set_has_no_order() {
        let people = [person("A/B", 0, "1"), person("C/D", 0, "2")];
        let store = known(&people);
        assert_eq!(store.positions(&names(&["C/D", "A/B MR"])), Some(vec![]));
        assert_eq!(store.positions(&[Asked::Position(2), Asked::Position(1)]), Some(vec![]));
        assert_eq!(store.positions(&names(&["c/d"])), store.positions(&[Asked::Position(2)]));
    }

    #[test]
    fn two_of_one_name_need_both_or_tickets() {
        let people = [person("A/B", 0, "1"), person("A/B MSTR", 1, "2"), person("C/D", 0, "3")];
        let store = known(&people);
        assert!(store.select(&names(&["A/B"]), &people, true).is_err());
        assert_eq!(store.select(&names(&["A/B", "A/B"]), &people, true).unwrap().positions, [1, 2]);
        assert_eq!(store.select(&[Asked::Position(2)], &people, true).unwrap().today, [1]);
        assert!(store.select(&[Asked::Position(2)], &people, false).is_err());
        assert!(check_tickets(&["A/B MSTR"], &["A/B".into()]).is_ok());
        assert!(check_tickets(&["A/B MSTR"], &["A/B".into(), "A/B".into()]).is_err());
    }

    #[test]
    fn nobody_is_left_who_may_not_travel_alone() {
        let people = [person("A/B", 0, ""), person("C/D", 0, ""), person("E/F", 1, ""), person("G/H", 2, "")];
        assert!(check_company(&[0], &[], &people).is_ok());
        assert!(check_company(&[0, 1], &[], &people).unwrap_err().message.contains("infant"));
        assert!(check_company(&[0, 1, 3], &[], &people).unwrap_err().message.contains("child"));
        assert!(check_company(&[0], &[1], &people).is_err(), "the other adult is gone already");
        assert!(check_company(&[2, 3], &[], &people).is_ok());
    }

    proptest! {
        #[test]
        fn folding_is_idempotent(name in "\\PC{0,30}") {
            let folded = fold(&name);
            prop_assert_eq!(fold(&folded), folded);
        }

        #[test]
        fn punctuation_case_diacritics_and_titles_do_not_matter(
            family in "[a-z]{1,8}", given in "[a-z]{1,8}",
            title in prop::sample::select(vec!["", " Mr", "MRS", " ms.", " CHD"]),
            mark in prop::sample::select(vec!["", "\u{301}", "-", " ", "'", "."]),
        ) {
            let plain = format!("{family}/{given}");
            let spelled = format!("{family}{mark}/{}{mark}{title}", given.to_uppercase());
            prop_assert!(same_name(&plain, &spelled), "{} {}", plain, spelled);
        }
    }
}
