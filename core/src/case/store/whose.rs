//! Whose account is it: the rule of every store, as pure functions of what the store says.

use super::identity::Identity;
use super::store_error;
use crate::error::{Error, ErrorCode};
use crate::unix_time::{Millis, format_rfc3339};

/// What a store knows of a client.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The account with the client's name.
    pub named: Option<String>,
    /// The unnamed account that its host and client id made.
    pub own_unnamed: Option<String>,
    /// Every account of its host and client id.
    pub own: Vec<String>,
    pub has_accounts: bool,
    pub has_unnamed: bool,
    /// The named account belongs to its host and client id.
    pub is_of_named: bool,
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(super) enum Whose {
    This(String),
    /// An account is made.
    New,
    /// The unnamed one gets the client's name.
    Named(String),
    /// The unnamed one goes into the named one.
    Merged {
        from: String,
        into: String,
    },
    Nobodys(Why),
}

/// Why a client has no account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// No account is made while the store has an unnamed one.
    HasUnnamed,
    NoneOfThisClient,
    SeveralOfThisClient(usize),
    MadeByNobody,
}

impl Why {
    /// `unnamed`: the unnamed accounts of the store, as [`unnamed`] shows them.
    pub fn error(self, unnamed: &[String]) -> Error {
        match self {
            Why::HasUnnamed => has_unnamed(unnamed),
            Why::NoneOfThisClient => none_of_this_client(unnamed),
            Why::SeveralOfThisClient(count) => several_of_this_client(count),
            Why::MadeByNobody => made_by_nobody(unnamed),
        }
    }
}

/// The account of a client.
pub(super) fn whose(who: &Identity, facts: Facts) -> Whose {
    match (&who.name, facts.named, facts.own_unnamed, &*facts.own) {
        (Some(_), Some(into), Some(from), _) => Whose::Merged { from, into },
        (Some(_), Some(account), None, _) => Whose::This(account),
        (Some(_), None, Some(own), _) => Whose::Named(own),
        (Some(_), None, None, _) if !facts.has_unnamed => Whose::New,
        (Some(_), None, None, _) => Whose::Nobodys(Why::HasUnnamed),
        (None, _, _, [account]) => Whose::This(account.clone()),
        (None, _, _, []) if !facts.has_accounts => Whose::New,
        (None, _, _, []) => Whose::Nobodys(Why::NoneOfThisClient),
        (None, _, _, several) => Whose::Nobodys(Why::SeveralOfThisClient(several.len())),
    }
}

/// `case.adoptAccount`: which account gets the name.
pub(super) fn adopted(facts: Facts) -> Whose {
    match (facts.own_unnamed, facts.named) {
        (Some(from), Some(into)) => Whose::Merged { from, into },
        (Some(own), None) => Whose::Named(own),
        // It has the name already.
        (None, Some(account)) if facts.is_of_named => Whose::This(account),
        (None, _) => Whose::Nobodys(Why::MadeByNobody),
    }
}

/// A client without a name that has no account in a store with accounts.
fn none_of_this_client(unnamed: &[String]) -> Error {
    let mut error = store_error(ErrorCode::StoreAccount, "the store has accounts, and none of this host and client id");
    error.help = format!(
        "Nothing was sent. Give the client the name of its account (`account`), or a store of its own.{}",
        listed(unnamed)
    );
    error
}

/// A client without a name that has several accounts.
fn several_of_this_client(count: usize) -> Error {
    let message = format!("{count} accounts of this store belong to this host and client id");
    let mut error = store_error(ErrorCode::StoreAccount, message);
    error.help = "Nothing was sent. Say by `account` which of them is meant.".to_owned();
    error
}

/// `case.adoptAccount` for a host and client id that made no account.
fn made_by_nobody(unnamed: &[String]) -> Error {
    let message = "no unnamed account of this store was made by that host and client id";
    let mut error = store_error(ErrorCode::StoreAccount, message);
    error.help = format!("Nothing was changed: {message}.{}", listed(unnamed));
    error
}

/// Two accounts that have the same keys or orders.
pub(super) fn cannot_take_in(name: &str, keys: &[String], orders: &[String]) -> Error {
    let message = format!("account {name} exists, and cannot take in the unnamed account");
    let mut error = store_error(ErrorCode::StoreAccount, message);
    error.help = format!(
        "Nothing was changed. Both have {}. Give the unnamed account another name.",
        [("key", keys), ("order", orders)]
            .iter()
            .filter(|(_, found)| !found.is_empty())
            .map(|(what, found)| format!("the {what}s {}", found.join(", ")))
            .collect::<Vec<_>>()
            .join(" and ")
    );
    error
}

/// An unnamed account, as the help shows it.
pub(super) fn unnamed(host: Option<String>, last_four: Option<String>, count: i64, last: Option<Millis>) -> String {
    match (host, last_four) {
        (Some(host), Some(last_four)) => format!("{host} with a client id that ends in {last_four}"),
        _ => {
            let last = last.map_or("none".to_owned(), format_rfc3339);
            format!("one of an earlier release with {count} cases, the last of {last}")
        }
    }
}

fn listed(unnamed: &[String]) -> String {
    match unnamed {
        [] => String::new(),
        list => format!(" Unnamed accounts of this store: {}.", list.join("; ")),
    }
}

/// A new name while an account has none.
fn has_unnamed(list: &[String]) -> Error {
    let mut error =
        store_error(ErrorCode::StoreAccount, "the store has an unnamed account, so that no account is made in it");
    error.help = format!(
        "Nothing was sent. Name the unnamed account first, by case.adoptAccount or by a client with its host and client id.{}",
        listed(list)
    );
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(name: Option<&str>) -> Identity {
        Identity::new("https://vendor.test", "vendor.test", "client", name.map(str::to_owned))
    }

    #[test]
    fn a_client_with_a_name_gets_the_account_of_that_name_and_takes_its_unnamed_one_along() {
        let (a, u) = (|| Some("a".to_owned()), || Some("u".to_owned()));
        let of = |facts| whose(&who(Some("name")), facts);
        assert_eq!(of(Facts::default()), Whose::New);
        assert_eq!(of(Facts { has_accounts: true, ..Facts::default() }), Whose::New);
        assert_eq!(of(Facts { named: a(), has_unnamed: true, ..Facts::default() }), Whose::This("a".to_owned()));
        assert_eq!(of(Facts { own_unnamed: u(), has_unnamed: true, ..Facts::default() }), Whose::Named("u".to_owned()));
        let both = Facts { named: a(), own_unnamed: u(), ..Facts::default() };
        assert_eq!(of(both), Whose::Merged { from: "u".to_owned(), into: "a".to_owned() });
        // Somebody else's unnamed account.
        assert_eq!(of(Facts { has_unnamed: true, ..Facts::default() }), Whose::Nobodys(Why::HasUnnamed));
    }

    #[test]
    fn a_client_without_a_name_goes_on_in_its_own_account_or_makes_the_first_one() {
        let of = |own: &[&str], has_accounts| {
            let own = own.iter().map(|id| (*id).to_owned()).collect();
            whose(&who(None), Facts { own, has_accounts, ..Facts::default() })
        };
        assert_eq!(of(&[], false), Whose::New);
        assert_eq!(of(&[], true), Whose::Nobodys(Why::NoneOfThisClient));
        assert_eq!(of(&["a"], true), Whose::This("a".to_owned()));
        assert_eq!(of(&["a", "b"], true), Whose::Nobodys(Why::SeveralOfThisClient(2)));
    }

    #[test]
    fn an_account_is_named_once_by_adoption() {
        let (a, u) = (|| Some("a".to_owned()), || Some("u".to_owned()));
        assert_eq!(adopted(Facts { own_unnamed: u(), ..Facts::default() }), Whose::Named("u".to_owned()));
        let both = Facts { own_unnamed: u(), named: a(), ..Facts::default() };
        assert_eq!(adopted(both), Whose::Merged { from: "u".to_owned(), into: "a".to_owned() });
        assert_eq!(adopted(Facts { named: a(), is_of_named: true, ..Facts::default() }), Whose::This("a".to_owned()));
        assert_eq!(adopted(Facts { named: a(), ..Facts::default() }), Whose::Nobodys(Why::MadeByNobody));
        assert_eq!(adopted(Facts::default()), Whose::Nobodys(Why::MadeByNobody));
    }
}
