//! One side of a move between stores: a whole store, with all of its accounts, in one transaction.

use crate::error::Error;

/// A row, by its columns.
pub(crate) type Record = serde_json::Map<String, serde_json::Value>;

/// How a column is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Text,
    Int,
    Bool,
    /// In hexadecimal between the sides.
    Bytes,
}

/// A table that both kinds of store have.
#[derive(Debug)]
pub(crate) struct Table {
    pub name: &'static str,
    pub columns: &'static [(&'static str, Column)],
    /// What its rows are read in the order of.
    pub order: &'static str,
    /// Whether the target may have a row already, which stays.
    pub may_be_there: bool,
}

/// The accounts, and who made them.
pub(crate) const ACCOUNTS: Table = Table {
    name: "accounts",
    columns: &[
        ("id", Column::Text),
        ("name", Column::Text),
        ("merged", Column::Text),
        ("made", Column::Int),
        ("pause_ends", Column::Int),
        ("lists_orders", Column::Bool),
    ],
    order: "id",
    may_be_there: false,
};

/// The cases. Who has one, and until when, is not moved: nothing of them is being sent.
pub(crate) const CASES: Table = Table {
    name: "cases",
    columns: &[
        ("id", Column::Text),
        ("account", Column::Text),
        ("key", Column::Text),
        ("kind", Column::Text),
        ("order_no", Column::Text),
        ("code", Column::Text),
        ("open", Column::Bool),
        ("unknown", Column::Bool),
        ("due", Column::Int),
        ("token", Column::Int),
        ("updated", Column::Int),
        ("body", Column::Text),
        ("change", Column::Int),
        ("asked", Column::Int),
    ],
    order: "change",
    may_be_there: false,
};

/// Everything else that belongs to them.
pub(crate) const OTHERS: &[Table] = &[
    Table {
        name: "account_clients",
        columns: &[
            ("account", Column::Text),
            ("client", Column::Text),
            ("host", Column::Text),
            ("last_four", Column::Text),
        ],
        order: "client",
        may_be_there: true,
    },
    Table {
        name: "holds",
        columns: &[("account", Column::Text), ("order_no", Column::Text), ("case_id", Column::Text)],
        order: "case_id",
        may_be_there: false,
    },
    Table {
        name: "replies",
        columns: &[
            ("case_id", Column::Text),
            ("step", Column::Text),
            ("attempt", Column::Int),
            ("at", Column::Int),
            ("thin", Column::Int),
            ("body", Column::Bytes),
        ],
        order: "case_id",
        may_be_there: false,
    },
    Table {
        name: "remnants",
        columns: &[
            ("account", Column::Text),
            ("key", Column::Text),
            ("id", Column::Text),
            ("kind", Column::Text),
            ("order_no", Column::Text),
            ("content", Column::Text),
            ("token", Column::Int),
            ("outcome", Column::Text),
            ("made", Column::Text),
            ("paid", Column::Text),
        ],
        order: "key",
        may_be_there: false,
    },
    // Only confirmed ones: a store that is rewound is not moved.
    Table {
        name: "losses",
        columns: &[
            ("host", Column::Text),
            ("what", Column::Text),
            ("case_id", Column::Text),
            ("number", Column::Int),
            ("change", Column::Int),
            ("confirmed", Column::Text),
            ("confirmed_at", Column::Int),
        ],
        order: "change",
        may_be_there: true,
    },
    Table {
        name: "notices",
        columns: &[("account", Column::Text), ("dedupe", Column::Text), ("at", Column::Int)],
        order: "at",
        may_be_there: true,
    },
    Table {
        name: "offers",
        columns: &[("account", Column::Text), ("offer_id", Column::Text), ("at", Column::Int), ("body", Column::Text)],
        order: "at",
        may_be_there: true,
    },
    Table {
        name: "order_passengers",
        columns: &[("account", Column::Text), ("order_no", Column::Text), ("at", Column::Int), ("body", Column::Text)],
        order: "order_no",
        may_be_there: true,
    },
];

/// What a store is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    /// Its own name, which no other store has.
    pub serial: String,
    /// The last number that it gave.
    pub highest: i64,
    /// The highest number of a purged case.
    pub purged: i64,
    /// The store that it was moved into: nothing is written to it any more.
    pub moved_to: Option<String>,
    /// The stores that were moved into it.
    pub imported: Vec<String>,
    /// Why nothing may be sent through it.
    pub rewound: Option<Error>,
    /// Its unnamed accounts, as the help shows them.
    pub unnamed: Vec<String>,
    /// Cases that are being sent, or whose sender died.
    pub sending: Vec<String>,
}

/// An account of the target.
#[derive(Debug)]
pub(crate) struct Known {
    pub id: String,
    /// It has cases, keys or holds of its own.
    pub is_used: bool,
}

/// A store as a whole. What was not committed when it is dropped did not happen.
pub(crate) trait Side {
    /// Begins a transaction. In an exclusive one nobody else writes to the store until it ends.
    fn begin(&mut self, exclusive: bool) -> Result<(), Error>;
    fn commit(&mut self) -> Result<(), Error>;

    fn head(&mut self) -> Result<Head, Error>;
    /// How many rows a table has.
    fn count(&mut self, table: &Table) -> Result<i64, Error>;
    /// Reads a table, some rows at a time.
    fn rows(&mut self, table: &Table, take: &mut dyn FnMut(Vec<Record>) -> Result<(), Error>) -> Result<(), Error>;
    /// For how many milliseconds a Retry-After still stops accounts.
    fn pauses(&mut self) -> Result<Vec<(String, i64)>, Error>;

    fn known(&mut self, name: &str) -> Result<Option<Known>, Error>;
    /// Stops every call of these accounts until [`Side::finish`] or [`Side::reopen`].
    fn close(&mut self, accounts: &[Record], source: &str) -> Result<(), Error>;
    /// The accounts may be used again, without what was to be moved.
    fn reopen(&mut self, source: &str) -> Result<(), Error>;
    /// Takes `count` numbers above any of this store and above `least`; gives the one before the first.
    fn reserve(&mut self, least: i64, count: i64) -> Result<i64, Error>;
    fn insert(&mut self, table: &Table, rows: &[Record]) -> Result<(), Error>;
    fn pause(&mut self, account: &str, left: i64) -> Result<(), Error>;
    /// Everything is there: the accounts are open once this transaction is committed.
    fn finish(&mut self, source: &str, purged: i64) -> Result<(), Error>;
    /// From the commit of this transaction on, nothing is written to this store any more.
    fn seal(&mut self, target: &str) -> Result<(), Error>;
}
