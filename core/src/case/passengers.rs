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

const CHILD: i64 = 1;
const INFANT: i64 = 2;

/// A name as it is compared: without marks, case, punctuation, spaces and titles. A name without a Latin letter stays
/// as it is.
pub(crate) fn fold(name: &str) -> String {
    let plain: String = name
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
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
    /// 0 adult, 1 child, 2 infant.
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

    /// Whether these are all of them and nobody else, in any order. Where they have no birthdays, their names tell.
    pub fn are_all(&self, people: &[Passenger]) -> bool {
        let sorted = |digests: &mut dyn Iterator<Item = String>| {
            let mut digests: Vec<String> = digests.collect();
            digests.sort_unstable();
            digests
        };
        let have_birthdays = people.iter().all(|p| !p.birthday.is_empty());
        let known = sorted(&mut self.people.iter().map(|p| if have_birthdays { &p.person } else { &p.name }.clone()));
        let shown = |p: &Passenger| if have_birthdays { self.person_digest(p) } else { self.name_digest(&p.name) };
        !known.is_empty() && known == sorted(&mut people.iter().map(shown))
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

    /// Where these positions are in the order as it is now; those who are not in it are left out.
    pub fn indexes(&self, positions: &[usize], today: &[Passenger]) -> Vec<usize> {
        let people = positions.iter().filter_map(|at| self.people.get(at.checked_sub(1)?));
        people.filter_map(|known| today.iter().position(|p| self.person_digest(p) == known.person)).collect()
    }

    /// Who is asked for, in the order as it is now. `lists_tickets`: the quotation will show a ticket per person, which
    /// tells two of one name apart where they are asked for by position.
    pub fn select(&self, asked: &[Asked], today: &[Passenger], lists_tickets: bool) -> Result<Selection, StoredError> {
        let refuse = |what: String| Err(guard(&format!("{what}; {}", listing(today))));
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
            return refuse("`passengers` names a person whom the order does not tell apart from another".to_owned());
        };
        let meant: Vec<usize> =
            if positions.is_empty() { (1..=self.people.len()).collect() } else { positions.clone() };
        let mut found = Vec::new();
        for known in meant.iter().filter_map(|at| self.people.get(at - 1)) {
            let index = (0..today.len())
                .find(|i| !found.contains(i) && today.get(*i).is_some_and(|p| self.person_digest(p) == known.person));
            match index {
                Some(index) => found.push(index),
                None => {
                    return refuse("a passenger of that name is not the one whom the store knows".to_owned());
                }
            }
        }
        let shares_name = |index: &usize| {
            let name = |i: usize| today.get(i).map(|p| fold(&p.name));
            (0..today.len()).any(|other| !found.contains(&other) && name(other) == name(*index))
        };
        if found.iter().any(shares_name) && !(lists_tickets && by_position) {
            return refuse("two passengers have one name, and requests carry names only".to_owned());
        }
        found.sort_unstable();
        Ok(Selection { positions, today: found })
    }
}

/// When some go: nobody is left who may not travel alone. `gone` have a refund already.
pub(crate) fn check_company(going: &[usize], gone: &[usize], today: &[Passenger]) -> Result<(), StoredError> {
    let count = |kinds: fn(i64) -> bool, of: &dyn Fn(usize) -> bool| {
        today.iter().enumerate().filter(|(i, p)| of(*i) && kinds(p.kind)).count()
    };
    let left = |i: usize| !going.contains(&i) && !gone.contains(&i);
    let adults = count(|kind| !matches!(kind, CHILD | INFANT), &left);
    let children = count(|kind| kind == CHILD, &left);
    let infants = count(|kind| kind == INFANT, &left);
    let what = match () {
        () if infants > adults => "more infants than adults would be left",
        () if children > 0 && adults == 0 => "a child would be left without an adult",
        () => return Ok(()),
    };
    Err(guard(&format!("{what}; {}", listing(today))))
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

/// The names on the tickets of an offer, as the store keeps them: digests, whose salt is the offer.
pub(crate) fn ticket_marks<'a>(offer_id: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut marks: Vec<String> =
        names.map(|name| sha256_hex(format!("{offer_id}|{}", fold(name)).as_bytes())).collect();
    marks.sort_unstable();
    marks
}

pub(crate) fn guard(message: &str) -> StoredError {
    StoredError::new(ErrorCode::GuardPassengers, message)
}

/// The order's passengers by position and type, never by name.
fn listing(today: &[Passenger]) -> String {
    let kind = |kind| match kind {
        0 => "adult",
        CHILD => "child",
        INFANT => "infant",
        _ => "of unknown type",
    };
    let people: Vec<String> = today.iter().enumerate().map(|(i, p)| format!("{} {}", i + 1, kind(p.kind))).collect();
    format!("its passengers are: {}", people.join(", "))
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
            assert!(error.message.contains("1 adult") && !error.message.contains("C/D"), "{}", error.message);
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
    fn a_rebuilt_order_has_the_same_people_in_any_order() {
        let people = [person("A/B", 0, "1"), person("C/D", 1, "2")];
        let store = known(&people);
        let other = |name: &str, kind, birthday: &str| [people[0].clone(), person(name, kind, birthday)];
        assert!(store.are_all(&[people[1].clone(), person("a/b mr", 0, "1")]));
        assert!(!store.are_all(&people[..1]) && !store.are_all(&[]));
        assert!(!store.are_all(&other("E/F", 1, "2")), "another name");
        assert!(!store.are_all(&other("C/D", 1, "3")), "another birthday");
        assert!(!store.are_all(&other("C/D", 0, "2")), "another type");
        assert!(store.are_all(&other("C/D", 1, "")), "without birthdays, names tell");
        assert!(!store.are_all(&[people[0].clone(), people[1].clone(), people[1].clone()]));
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
