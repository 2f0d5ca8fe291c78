-- Who holds a request names its id, attempt and state in every write: a late one matches no row.

-- name: put
-- Stores a submitted request; one that is there already stays as it is.
INSERT INTO requests
    (id, account, model, state, order_key, input_values, media, warnings, seed, created_at, ready_at, webhook)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING;

-- name: any_to_fetch
-- Whether a request of these models waits for a courier.
SELECT 1
FROM json_each(:models) AS served
WHERE EXISTS (SELECT 1 FROM requests WHERE state = 'accepted' AND model = served.value)
LIMIT 1;

-- name: any_to_run
-- Whether a request of these models waits for a worker.
SELECT 1
FROM json_each(:models) AS served
WHERE EXISTS (SELECT 1 FROM requests WHERE state = 'ready' AND model = served.value)
LIMIT 1;

-- name: claim_fetch
-- event: fetch_claimed
-- Gives a courier the first of the requests of its models: one index look-up for each model, however many wait.
UPDATE requests
SET state = 'fetching', attempt = attempt + 1, holder = :holder, lease_ends_at = :lease_ends_at, fetch_started_at = :now
WHERE state = 'accepted' AND seq = (
    SELECT first.seq
    FROM json_each(:models) AS served JOIN requests AS first ON first.seq = (
        SELECT seq FROM requests
        WHERE state = 'accepted' AND model = served.value
        ORDER BY order_key, seq LIMIT 1
    )
    ORDER BY first.order_key, first.seq LIMIT 1
)
RETURNING id, attempt, state, account, model, input_values, media, seed, webhook;

-- name: claim_run
-- event: run_claimed
-- Gives a worker the first of the requests of its models, in the same way.
UPDATE requests
SET state = 'running', attempt = attempt + 1, holder = :holder, lease_ends_at = :lease_ends_at, started_at = :now
WHERE state = 'ready' AND seq = (
    SELECT first.seq
    FROM json_each(:models) AS served JOIN requests AS first ON first.seq = (
        SELECT seq FROM requests
        WHERE state = 'ready' AND model = served.value
        ORDER BY order_key, seq LIMIT 1
    )
    ORDER BY first.order_key, first.seq LIMIT 1
)
RETURNING id, attempt, state, account, model, input_values, media, seed, webhook;

-- name: held
-- What a holder compares its beat with.
SELECT lease_ends_at, stop_requested, progress, stage, logs, preview
FROM requests
WHERE id = :id AND attempt = :attempt AND state = :state;

-- name: beat
-- Prolongs a lease and shows progress.
UPDATE requests
SET lease_ends_at = :lease_ends_at, progress = :progress, stage = :stage, logs = :logs, preview = :preview
WHERE id = :id AND attempt = :attempt AND state = :state
RETURNING stop_requested;

-- name: freeze
-- Makes a request ready: its inputs are in storage, and its losses are counted anew for the next step.
UPDATE requests
SET state = :next, media = :media, ready_at = :now, losses = 0, holder = NULL, lease_ends_at = NULL,
    progress = 0, stage = '', logs = '[]', preview = ''
WHERE id = :id AND attempt = :attempt AND state = :state;

-- name: succeed
-- Ends a request with its outputs.
UPDATE requests
SET state = :next, finished_at = :now, holder = NULL, lease_ends_at = NULL, progress = 1, stage = '', preview = '',
    engine = :engine, engine_version = :engine_version, served_by = :served_by,
    seed_used = :seed_used, actual_prompt = :actual_prompt,
    running_s = :running_s, storing_s = :storing_s, cost_microdollars = :cost_microdollars,
    engine_warnings = :engine_warnings, details = :details
WHERE id = :id AND attempt = :attempt AND state = :state
RETURNING account, model;

-- name: end
-- Ends a request without outputs, failed or cancelled.
UPDATE requests
SET state = :next, finished_at = :now, holder = NULL, lease_ends_at = NULL, preview = '',
    failure_code = :code, failure_sentence = :sentence, failure_retryable = :retryable
WHERE id = :id AND attempt = :attempt AND state = :state;

-- name: give_back
-- Puts a held request back for another attempt, which will report its own progress.
UPDATE requests
SET state = :next, losses = :losses, started_at = NULL, holder = NULL, lease_ends_at = NULL,
    progress = 0, stage = '', logs = '[]', preview = ''
WHERE id = :id AND attempt = :attempt AND state = :state;

-- name: request_stop
-- Asks whoever runs a request to stop.
UPDATE requests
SET stop_requested = 1
WHERE id = :id AND attempt = :attempt AND state = :state;

-- name: of_account
-- Where a request of an account stands.
SELECT id, attempt, state, losses, stop_requested
FROM requests
WHERE id = :id AND account = :account;

-- name: of_lease
-- Where a request stands while its lease holds.
SELECT id, attempt, state, losses, stop_requested
FROM requests
WHERE id = :id AND attempt = :attempt AND state = :state;

-- name: of_holder
-- What a holder of this name holds in one of the held states.
SELECT id, attempt, state, losses, stop_requested
FROM requests
WHERE state IN ('fetching', 'running') AND state = :state AND holder = :holder;

-- name: expired
-- Every request whose lease has ended.
SELECT id, attempt, state, losses, stop_requested
FROM requests
WHERE state IN ('fetching', 'running') AND lease_ends_at <= :now;

-- name: find
-- All that is told of a request, its outputs as a JSON array of their fields in order.
SELECT id, account, model, state, attempt, order_key, seq, warnings, seed,
    created_at, ready_at, started_at, finished_at, progress, stage, logs, preview,
    failure_code, failure_sentence, failure_retryable,
    engine, engine_version, served_by, seed_used, actual_prompt, running_s, storing_s, cost_microdollars,
    engine_warnings, details,
    CASE WHEN engine IS NOT NULL THEN (
        SELECT json_group_array(json_array(token, name, storage_key, content_type, size_bytes, digest))
        FROM (SELECT * FROM files WHERE request_id = requests.id ORDER BY position)
    ) END AS outputs
FROM requests
WHERE id = :id AND account = :account;

-- name: status
-- What a poll tells.
SELECT id, state, order_key, seq, started_at, progress, stage, logs, preview
FROM requests
WHERE id = :id AND account = :account;

-- name: waiting_first
-- How many waiting requests come before an order, up to a limit.
SELECT count(*)
FROM (
    SELECT 1 FROM requests
    WHERE state IN ('accepted', 'fetching', 'ready') AND (order_key, seq) < (:order_key, :seq)
    LIMIT :limit
);

-- name: waiting_head
-- The order of the first waiting request.
SELECT order_key, seq
FROM requests
WHERE state IN ('accepted', 'fetching', 'ready')
ORDER BY order_key, seq LIMIT 1;

-- name: waiting_between
-- How many waiting requests there are from one order up to another.
SELECT count(*)
FROM requests
WHERE state IN ('accepted', 'fetching', 'ready')
    AND (order_key, seq) >= (:from_order_key, :from_seq) AND (order_key, seq) < (:order_key, :seq);

-- name: add_output
-- Publishes an output of a request.
INSERT INTO files (token, name, storage_key, content_type, size_bytes, digest, account, request_id, position, created_at)
VALUES (:token, :name, :storage_key, :content_type, :size_bytes, :digest, :account, :request_id, :position, :now);

-- name: add_usage
-- Books what a request used; a second booking of the same request is an error.
INSERT INTO usage (request_id, account, model, device_seconds, cost_microdollars, finished_at)
VALUES (:request_id, :account, :model, :device_seconds, :cost_microdollars, :now);

-- name: charge
-- Takes a cost off an account's balance.
UPDATE accounts
SET balance_microdollars = balance_microdollars - :cost_microdollars
WHERE id = :account;

-- name: outdated
-- What ended before a time and has no files any more.
SELECT id
FROM requests
WHERE finished_at < :before AND NOT EXISTS (SELECT 1 FROM files WHERE request_id = requests.id)
LIMIT :limit;

-- name: forget
-- Drops requests; what they used stays booked.
DELETE FROM requests
WHERE id IN (SELECT value FROM json_each(:ids));
