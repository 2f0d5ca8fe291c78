-- What happened to requests, its deliveries to webhooks, and what webhooks are signed with.

ALTER TABLE requests ADD COLUMN webhook TEXT;  -- JSON: url, host, intermediate, base_url

-- AUTOINCREMENT: a number is never given twice, not even when the rows of old requests are gone.
CREATE TABLE events (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    account         TEXT NOT NULL,
    request_id      TEXT NOT NULL,
    attempt         INTEGER NOT NULL,
    state           TEXT NOT NULL,
    happened_at     INTEGER NOT NULL,
    queue_position  INTEGER
) STRICT;

CREATE INDEX events_of_account ON events (account, seq);
CREATE INDEX events_of_request ON events (request_id);

CREATE TABLE deliveries (
    seq         INTEGER PRIMARY KEY,            -- of its event
    event_id    TEXT NOT NULL UNIQUE,
    account     TEXT NOT NULL,
    request_id  TEXT NOT NULL,
    url         TEXT NOT NULL,
    host        TEXT NOT NULL,
    base_url    TEXT NOT NULL,
    state       TEXT NOT NULL,
    due_at      INTEGER NOT NULL,               -- when a pending one may be claimed; of a claimed one: its lease's end
    holder      TEXT,
    claim       INTEGER NOT NULL DEFAULT 0,
    tried       INTEGER NOT NULL DEFAULT 0,     -- since it was written or sent again
    tries       TEXT NOT NULL DEFAULT '[]'      -- JSON, the last ones
) STRICT;

CREATE INDEX deliveries_due ON deliveries (due_at, seq) WHERE state = 'pending';
CREATE INDEX deliveries_of_request ON deliveries (request_id, seq);
CREATE INDEX deliveries_of_account ON deliveries (account, seq);

-- Where an account sends nothing more, because the receiver said that it is gone.
CREATE TABLE webhooks_off (
    account  TEXT NOT NULL,
    url      TEXT NOT NULL,
    since    INTEGER NOT NULL,
    PRIMARY KEY (account, url)
) STRICT;

-- A salt is no secret: the secret is made of it and of the server's own, which is not in the database.
CREATE TABLE webhook_secrets (
    salt        TEXT PRIMARY KEY,
    account     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER
) STRICT;

CREATE INDEX webhook_secrets_of_account ON webhook_secrets (account);

-- One row: the number of the key pair that signs.
CREATE TABLE signing_keys (
    current         INTEGER NOT NULL,
    previous_until  INTEGER NOT NULL
) STRICT;

INSERT INTO signing_keys (current, previous_until) VALUES (1, 0);
