-- A case is one JSON text; what is searched for stands beside it. With a rowid: without, a text of this size would
-- take an overflow page of its own.
CREATE TABLE cases (
    id          TEXT PRIMARY KEY,
    account     TEXT NOT NULL,
    key         TEXT NOT NULL,
    kind        TEXT NOT NULL,
    order_no    TEXT,
    open        INTEGER NOT NULL,
    unknown     INTEGER NOT NULL,
    due         INTEGER,
    version     INTEGER NOT NULL,
    owner       TEXT,
    lease_until INTEGER,
    updated     INTEGER NOT NULL,
    body        TEXT NOT NULL
);
CREATE INDEX cases_list ON cases (account, id);
CREATE UNIQUE INDEX cases_key ON cases (account, key);
CREATE INDEX cases_due ON cases (account, due) WHERE due IS NOT NULL;
CREATE INDEX cases_open ON cases (account, open);
CREATE INDEX cases_order ON cases (account, order_no);
CREATE INDEX cases_unknown ON cases (account, id) WHERE unknown = 1;

-- One open case per order.
CREATE TABLE holds (
    account  TEXT NOT NULL,
    order_no TEXT NOT NULL,
    case_id  TEXT NOT NULL,
    PRIMARY KEY (account, order_no)
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

CREATE TABLE purged (account TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (account, key)) WITHOUT ROWID;
CREATE TABLE notices (account TEXT NOT NULL, dedupe TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (account, dedupe)) WITHOUT ROWID;
CREATE INDEX notices_at ON notices (at);
CREATE TABLE offers (account TEXT NOT NULL, offer_id TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, offer_id)) WITHOUT ROWID;
CREATE INDEX offers_at ON offers (at);
CREATE TABLE budgets (
    account TEXT NOT NULL, name TEXT NOT NULL, full_at REAL NOT NULL, share REAL NOT NULL, slow_until REAL NOT NULL,
    not_before REAL NOT NULL, boot INTEGER NOT NULL, PRIMARY KEY (account, name)
) WITHOUT ROWID;
CREATE TABLE probe (at INTEGER NOT NULL);
INSERT INTO probe (at) VALUES (0);
