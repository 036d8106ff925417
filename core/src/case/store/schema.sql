-- The store itself; one row. `highest` is the last number given: every write of a case takes the next one. `inode` and
-- `birth` are of the file that this was when a witness was last compared, `copy` marks what case.backup made.
CREATE TABLE store (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    serial  TEXT NOT NULL,
    highest INTEGER NOT NULL,
    purged  INTEGER NOT NULL,
    copy    INTEGER NOT NULL,
    inode   INTEGER NOT NULL,
    birth   INTEGER NOT NULL,
    probed  INTEGER NOT NULL
);
INSERT INTO store VALUES (1, lower(hex(randomblob(12))), 0, 0, 0, 0, 0, 0);

-- Whose cases: an account has a name, or is the one of the client that made it. `merged` names the one it went into.
-- `pause_ends` is the end of the last Retry-After by a test clock, which may be ahead of the machine's. `lists_orders`:
-- an order of the account was once answered with the list of its booking's orders.
CREATE TABLE accounts (
    id TEXT PRIMARY KEY, name TEXT UNIQUE, merged TEXT, made INTEGER NOT NULL, pause_ends INTEGER,
    lists_orders INTEGER NOT NULL DEFAULT 0
);
-- Who made it or gave it its name: a digest of base URL and client id; the host and the last four of the id, if known.
CREATE TABLE account_clients (
    account TEXT NOT NULL, client TEXT NOT NULL, host TEXT, last_four TEXT, PRIMARY KEY (account, client)
) WITHOUT ROWID;

-- A case is one JSON text; what is searched for stands beside it. With a rowid: without, a text of this size would
-- take an overflow page of its own. `token` is the fencing token, `change` the number of the last write, `asked` that
-- of the last write after a query.
CREATE TABLE cases (
    id          TEXT PRIMARY KEY,
    account     TEXT NOT NULL,
    key         TEXT NOT NULL,
    kind        TEXT NOT NULL,
    order_no    TEXT,
    code        TEXT,
    open        INTEGER NOT NULL,
    unknown     INTEGER NOT NULL,
    due         INTEGER,
    token       INTEGER NOT NULL,
    owner       TEXT,
    lease_until INTEGER,
    updated     INTEGER NOT NULL,
    body        TEXT NOT NULL,
    change      INTEGER NOT NULL,
    asked       INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX cases_list ON cases (account, id);
CREATE UNIQUE INDEX cases_key ON cases (account, key);
CREATE INDEX cases_due ON cases (account, due) WHERE due IS NOT NULL;
CREATE INDEX cases_open ON cases (account, open, id);
CREATE INDEX cases_order ON cases (account, order_no);
CREATE INDEX cases_unknown ON cases (account, id) WHERE unknown = 1;
CREATE INDEX cases_change ON cases (account, change);
CREATE INDEX cases_code ON cases (account, code) WHERE code IS NOT NULL;

-- What each case keeps others from. Two cases have the same only where the later one was opened after the earlier.
CREATE TABLE holds (
    account  TEXT NOT NULL,
    order_no TEXT NOT NULL,
    case_id  TEXT NOT NULL,
    PRIMARY KEY (account, order_no, case_id)
) WITHOUT ROWID;
CREATE INDEX holds_case ON holds (case_id);

-- Replies of submits. thin: 0 as received, 1 only what is allowed to stay, 2 as received since it cannot be read.
CREATE TABLE replies (
    case_id TEXT NOT NULL,
    step    TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    thin    INTEGER NOT NULL,
    body    BLOB NOT NULL,
    PRIMARY KEY (case_id, step, attempt)
);

-- What stays of a purged case whose key was bound. Of cases that an earlier release purged, only the key.
CREATE TABLE remnants (
    account  TEXT NOT NULL,
    key      TEXT NOT NULL,
    id       TEXT,
    kind     TEXT,
    order_no TEXT,
    content  TEXT,
    token    INTEGER,
    outcome  TEXT,
    made     TEXT,
    paid     TEXT,
    PRIMARY KEY (account, key)
) WITHOUT ROWID;
CREATE INDEX remnants_id ON remnants (id);
CREATE INDEX remnants_order ON remnants (account, order_no);
CREATE INDEX remnants_made ON remnants (account, made) WHERE made IS NOT NULL;

-- The witnesses that this store had, and what a witness showed to be missing. A loss stops the store until it is
-- confirmed.
CREATE TABLE witnesses (path TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE losses (
    host      TEXT NOT NULL,
    what      TEXT NOT NULL,
    case_id   TEXT NOT NULL,
    number    INTEGER NOT NULL,
    change    INTEGER NOT NULL,
    confirmed TEXT,
    confirmed_at INTEGER,
    PRIMARY KEY (host, what, case_id, number)
) WITHOUT ROWID;

CREATE TABLE notices (account TEXT NOT NULL, dedupe TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (account, dedupe)) WITHOUT ROWID;
CREATE INDEX notices_at ON notices (at);
CREATE TABLE offers (account TEXT NOT NULL, offer_id TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, offer_id)) WITHOUT ROWID;
CREATE INDEX offers_at ON offers (at);
-- Digests of the passengers of an order, as it was first read.
CREATE TABLE order_passengers (account TEXT NOT NULL, order_no TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, order_no)) WITHOUT ROWID;
CREATE TABLE budgets (
    account TEXT NOT NULL, name TEXT NOT NULL, full_at REAL NOT NULL, share REAL NOT NULL, slow_until REAL NOT NULL,
    not_before REAL NOT NULL, boot INTEGER NOT NULL, epoch INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (account, name)
) WITHOUT ROWID;
