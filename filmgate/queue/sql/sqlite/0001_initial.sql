-- Requests and the queue that they form, what they used, accounts, keys, device logins, files.
-- Times are integer microseconds since the epoch, UTC; columns in JSON are said to be so.

CREATE TABLE requests (
    seq                INTEGER PRIMARY KEY,
    id                 TEXT NOT NULL UNIQUE,
    account            TEXT NOT NULL,
    model              TEXT NOT NULL,
    state              TEXT NOT NULL,
    attempt            INTEGER NOT NULL DEFAULT 0,
    losses             INTEGER NOT NULL DEFAULT 0,  -- lost leases in the present step
    order_key          INTEGER NOT NULL,            -- fixed at submit; the smallest is next, ties by seq
    input_values       TEXT NOT NULL,               -- JSON
    media              TEXT NOT NULL,               -- JSON
    warnings           TEXT NOT NULL,               -- JSON
    seed               INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    fetch_started_at   INTEGER,
    ready_at           INTEGER,
    started_at         INTEGER,
    finished_at        INTEGER,
    holder             TEXT,
    lease_ends_at      INTEGER,
    stop_requested     INTEGER NOT NULL DEFAULT 0,
    progress           REAL NOT NULL DEFAULT 0,
    stage              TEXT NOT NULL DEFAULT '',
    logs               TEXT NOT NULL DEFAULT '[]',  -- JSON, the last lines
    failure_code       TEXT,
    failure_sentence   TEXT,
    failure_retryable  INTEGER,
    engine             TEXT,
    engine_version     TEXT,
    seed_used          INTEGER,
    actual_prompt      TEXT,
    running_s          REAL,
    storing_s          REAL,
    cost_microdollars  INTEGER,
    engine_warnings    TEXT,                        -- JSON
    details            TEXT                         -- JSON
) STRICT;

-- Partial, so that the finished requests, which are nearly all, weigh nothing on a claim.
CREATE INDEX requests_to_fetch ON requests (model, order_key, seq) WHERE state = 'accepted';
CREATE INDEX requests_to_run ON requests (model, order_key, seq) WHERE state = 'ready';
CREATE INDEX requests_waiting ON requests (order_key, seq) WHERE state IN ('accepted', 'fetching', 'ready');
CREATE INDEX requests_held ON requests (lease_ends_at) WHERE state IN ('fetching', 'running');

CREATE INDEX requests_finished ON requests (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE usage (
    request_id         TEXT PRIMARY KEY,
    account            TEXT NOT NULL,
    model              TEXT NOT NULL,
    device_seconds     REAL NOT NULL,
    cost_microdollars  INTEGER NOT NULL,
    finished_at        INTEGER NOT NULL
) STRICT;

CREATE TABLE accounts (
    id                    TEXT PRIMARY KEY,
    email                 TEXT NOT NULL,
    display_name          TEXT NOT NULL,
    username              TEXT NOT NULL,
    balance_microdollars  INTEGER NOT NULL
) STRICT;

CREATE TABLE keys (
    id            TEXT PRIMARY KEY,
    digest        TEXT NOT NULL UNIQUE,  -- sha256 of the secret
    account       TEXT NOT NULL,
    name          TEXT NOT NULL,
    hint          TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    revoked_at    INTEGER,
    last_used_at  INTEGER
) STRICT;

CREATE TABLE device_logins (
    digest      TEXT PRIMARY KEY,  -- sha256 of the device code
    user_code   TEXT NOT NULL,
    state       TEXT NOT NULL,
    account     TEXT,
    expires_at  INTEGER NOT NULL
) STRICT;

-- People type the user code, so two logins under way must not share one.
CREATE UNIQUE INDEX device_logins_pending ON device_logins (user_code) WHERE state = 'pending';

CREATE TABLE files (
    token         TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    storage_key   TEXT NOT NULL,
    content_type  TEXT NOT NULL,
    size_bytes    INTEGER NOT NULL,
    digest        TEXT NOT NULL,  -- sha256 of the bytes
    account       TEXT NOT NULL,
    request_id    TEXT,           -- of an output
    position      INTEGER,        -- of an output among those of its request
    created_at    INTEGER NOT NULL
) STRICT;

CREATE INDEX files_by_age ON files (created_at);
CREATE INDEX files_of_request ON files (request_id, position) WHERE request_id IS NOT NULL;

CREATE TABLE blobs (
    digest  TEXT PRIMARY KEY,  -- sha256 of the bytes as they were sent
    blob    TEXT NOT NULL      -- JSON
) STRICT;
