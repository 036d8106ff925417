-- From layout 1 to layout 2. The fencing token has another name now, and `purged` is gone: a process of the earlier
-- release that still has the file open can neither take nor write nor remove a case.
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
CREATE TABLE accounts (
    id TEXT PRIMARY KEY, name TEXT UNIQUE, merged TEXT, made INTEGER NOT NULL, pause_ends INTEGER,
    lists_orders INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE account_clients (
    account TEXT NOT NULL, client TEXT NOT NULL, host TEXT, last_four TEXT, PRIMARY KEY (account, client)
) WITHOUT ROWID;
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
CREATE TABLE holds_of_cases (
    account TEXT NOT NULL, order_no TEXT NOT NULL, case_id TEXT NOT NULL, PRIMARY KEY (account, order_no, case_id)
) WITHOUT ROWID;
INSERT INTO holds_of_cases SELECT account, order_no, case_id FROM holds;
DROP TABLE holds;
ALTER TABLE holds_of_cases RENAME TO holds;
CREATE INDEX holds_case ON holds (case_id);
ALTER TABLE cases RENAME COLUMN version TO token;
ALTER TABLE cases ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
UPDATE cases SET change = numbered.number
    FROM (SELECT id AS case_id, row_number() OVER (ORDER BY updated, id) AS number FROM cases) AS numbered
    WHERE id = numbered.case_id;
CREATE INDEX cases_change ON cases (account, change);
DROP INDEX cases_open;
CREATE INDEX cases_open ON cases (account, open, id);
ALTER TABLE cases ADD COLUMN code TEXT;
UPDATE cases SET code = json_extract(body, '$.code');
CREATE INDEX cases_code ON cases (account, code) WHERE code IS NOT NULL;
UPDATE store SET highest = (SELECT max(coalesce(max(change), 0), coalesce(max(token), 0)) FROM cases);
INSERT INTO remnants (account, key) SELECT account, key FROM purged;
DROP TABLE purged;
DROP TABLE probe;
ALTER TABLE budgets ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
INSERT INTO accounts (id, made)
    SELECT account, min(at) FROM (SELECT account, updated AS at FROM cases UNION SELECT account, 0 FROM remnants) GROUP BY account;
INSERT INTO account_clients (account, client) SELECT id, id FROM accounts;
CREATE TABLE order_passengers (account TEXT NOT NULL, order_no TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, order_no)) WITHOUT ROWID;
