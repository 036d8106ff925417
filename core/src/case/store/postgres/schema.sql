-- Layout 1 of the store on a server. What the columns mean is in ../schema.sql, where a file has the same tables; here
-- stands what differs.
CREATE SCHEMA apb;

-- The store itself; one row. `purged`: the highest change number of a purged case. `place` is where the tables were when
-- somebody last confirmed, `timeline` that of the cluster when it was last compared. A store that was moved into another
-- one, `moved`, has another layout.
CREATE TABLE apb.store (
    one      integer PRIMARY KEY CHECK (one = 1),
    layout   integer NOT NULL,
    serial   text NOT NULL,
    purged   bigint NOT NULL DEFAULT 0,
    place    text NOT NULL DEFAULT '',
    timeline bigint NOT NULL DEFAULT 0,
    moved    text
);
-- The stores that were moved into this one.
CREATE TABLE apb.imports (source text PRIMARY KEY, at bigint NOT NULL);

-- Every write of a case takes the next number. A sequence is no row that all writers wait for; a number that was taken
-- and not committed is never given again.
CREATE SEQUENCE apb.changes AS bigint MINVALUE 0 START 1;

-- Milliseconds since 1970, by the only clock that counts.
CREATE FUNCTION apb.now_ms() RETURNS bigint LANGUAGE sql VOLATILE
    AS $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

-- Whoever takes numbers holds this lock until its transaction ends; whoever reads changes, or changes the store as a
-- whole, takes it alone: then no number is under way that is lower than one that was read.
CREATE FUNCTION apb.share() RETURNS void LANGUAGE sql VOLATILE
    AS $$ SELECT pg_advisory_xact_lock_shared(1095778883, 0) $$;
CREATE FUNCTION apb.alone() RETURNS void LANGUAGE sql VOLATILE
    AS $$ SELECT pg_advisory_xact_lock(1095778883, 0) $$;

-- This transaction is on the disk when it is committed, whatever the session's setting.
CREATE FUNCTION apb.sync() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF current_setting('synchronous_commit') IN ('off', 'local', 'remote_write') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    RETURN true;
END $$;

-- This transaction may be lost in a crash.
CREATE FUNCTION apb.unsynced() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
END $$;

-- The next number, for a write of a case. What a statement looks at is as old as its begin, and it may have waited: here
-- each look is new. AP001: the store was moved, AP002: it is rewound.
CREATE FUNCTION apb.next_change() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM apb.sync();
    PERFORM apb.share();
    IF EXISTS (SELECT 1 FROM apb.store WHERE moved IS NOT NULL) THEN
        RAISE EXCEPTION 'the store was moved' USING ERRCODE = 'AP001';
    END IF;
    RETURN nextval('apb.changes');
END $$;

-- The same for an intent: none is written to a store that is older than what was sent through it.
CREATE FUNCTION apb.next_intent() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    number bigint := apb.next_change();
BEGIN
    IF EXISTS (SELECT 1 FROM apb.losses WHERE confirmed IS NULL) THEN
        RAISE EXCEPTION 'the store is rewound' USING ERRCODE = 'AP002';
    END IF;
    RETURN number;
END $$;

-- Keeps others from looking at these holds and taking them, until this transaction ends. In a statement of its own: what
-- a statement looks at is as old as its begin.
CREATE FUNCTION apb.lock_holds(account text, names text[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    lock integer;
BEGIN
    PERFORM apb.share();
    FOR lock IN SELECT DISTINCT hashtext(account || name) FROM unnest(names) AS name ORDER BY 1 LOOP
        PERFORM pg_advisory_xact_lock(1095778884, lock);
    END LOOP;
END $$;

CREATE FUNCTION apb.highest() RETURNS bigint LANGUAGE sql VOLATILE
    AS $$ SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM apb.changes $$;

CREATE TABLE apb.accounts (
    id text COLLATE "C" PRIMARY KEY, name text COLLATE "C" UNIQUE, merged text, made bigint NOT NULL, pause_ends bigint,
    lists_orders boolean NOT NULL DEFAULT false,
    -- The store that is being moved into this one: the account is closed.
    arriving text
);
CREATE TABLE apb.account_clients (
    account text COLLATE "C" NOT NULL, client text COLLATE "C" NOT NULL, host text, last_four text,
    PRIMARY KEY (account, client)
);

-- One lease for each process, renewed in the background; `until` is by the database's clock. `renewals` lets others see
-- that its owner stands still.
CREATE TABLE apb.workers (
    id       text COLLATE "C" PRIMARY KEY,
    host     text NOT NULL,
    until    bigint NOT NULL,
    renewals bigint NOT NULL DEFAULT 0
);

-- `owner` has the case until `lease_end`, by the database's clock, or until the lease of its `worker` is over.
CREATE TABLE apb.cases (
    id        text COLLATE "C" PRIMARY KEY,
    account   text COLLATE "C" NOT NULL,
    key       text COLLATE "C" NOT NULL,
    kind      text NOT NULL,
    order_no  text COLLATE "C",
    code      text COLLATE "C",
    open      boolean NOT NULL,
    unknown   boolean NOT NULL,
    due       bigint,
    token     bigint NOT NULL,
    owner     text,
    worker    text COLLATE "C",
    lease_end bigint,
    lease_ms  bigint,
    updated   bigint NOT NULL,
    body      text NOT NULL,
    change    bigint NOT NULL,
    asked     bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX cases_key ON apb.cases (account, key);
CREATE INDEX cases_list ON apb.cases (account, id);
CREATE INDEX cases_due ON apb.cases (account, due) WHERE due IS NOT NULL;
CREATE INDEX cases_open ON apb.cases (account, id) WHERE open;
CREATE INDEX cases_order ON apb.cases (account, order_no);
CREATE INDEX cases_unknown ON apb.cases (account, id) WHERE unknown;
CREATE INDEX cases_change ON apb.cases (account, change);
CREATE INDEX cases_code ON apb.cases (account, code) WHERE code IS NOT NULL;

CREATE TABLE apb.holds (
    account  text COLLATE "C" NOT NULL,
    order_no text COLLATE "C" NOT NULL,
    case_id  text COLLATE "C" NOT NULL,
    PRIMARY KEY (account, order_no, case_id)
);
CREATE INDEX holds_case ON apb.holds (case_id);
-- An order is paid once, whatever a statement looks at.
CREATE UNIQUE INDEX holds_paid ON apb.holds (account, order_no) WHERE order_no LIKE 'paid:%';

CREATE TABLE apb.replies (
    case_id text COLLATE "C" NOT NULL, step text NOT NULL, attempt bigint NOT NULL, at bigint NOT NULL,
    thin integer NOT NULL, body bytea NOT NULL, PRIMARY KEY (case_id, step, attempt)
);
CREATE TABLE apb.remnants (
    account text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, id text COLLATE "C", kind text,
    order_no text COLLATE "C", content text, token bigint, outcome text, made text COLLATE "C", paid text,
    PRIMARY KEY (account, key)
);
CREATE INDEX remnants_id ON apb.remnants (id);
CREATE INDEX remnants_order ON apb.remnants (account, order_no);
CREATE INDEX remnants_made ON apb.remnants (account, made) WHERE made IS NOT NULL;

CREATE TABLE apb.losses (
    host text NOT NULL, what text NOT NULL, case_id text NOT NULL, number bigint NOT NULL, change bigint NOT NULL,
    confirmed text, confirmed_at bigint, PRIMARY KEY (host, what, case_id, number)
);
CREATE TABLE apb.notices (
    account text COLLATE "C" NOT NULL, dedupe text NOT NULL, at bigint NOT NULL, PRIMARY KEY (account, dedupe)
);
CREATE INDEX notices_at ON apb.notices (at);
CREATE TABLE apb.offers (
    account text COLLATE "C" NOT NULL, offer_id text NOT NULL, at bigint NOT NULL, body text NOT NULL,
    PRIMARY KEY (account, offer_id)
);
CREATE INDEX offers_at ON apb.offers (at);
CREATE TABLE apb.order_passengers (
    account text COLLATE "C" NOT NULL, order_no text COLLATE "C" NOT NULL, at bigint NOT NULL, body text NOT NULL,
    PRIMARY KEY (account, order_no)
);
-- Times in seconds by the database's clock.
CREATE TABLE apb.budgets (
    account text COLLATE "C" NOT NULL, name text NOT NULL, full_at double precision NOT NULL,
    share double precision NOT NULL, slow_until double precision NOT NULL, not_before double precision NOT NULL,
    epoch bigint NOT NULL DEFAULT 0, PRIMARY KEY (account, name)
);

INSERT INTO apb.store (one, layout, serial) VALUES (1, 1, gen_random_uuid()::text);
