-- name: add_event
-- Writes down that a request is in a state now, in the transaction that brought it there.
INSERT INTO events (account, request_id, attempt, state, happened_at)
SELECT account, id, :attempt, :state, :now FROM requests WHERE id = :id
RETURNING seq, (SELECT webhook IS NOT NULL FROM requests WHERE id = :id) AS has_webhook;

-- name: note_position
-- Adds how many waiting requests came before one that still waits.
UPDATE events
SET queue_position = (
    SELECT count(*)
    FROM requests JOIN (SELECT order_key, seq FROM requests WHERE id = :id) AS own
    WHERE state IN ('accepted', 'fetching', 'ready')
        AND (requests.order_key, requests.seq) < (own.order_key, own.seq)
)
WHERE seq = :seq;

-- name: add_delivery
-- Makes the event of a request with a webhook due for delivery, unless the webhook is switched off.
INSERT INTO deliveries (seq, event_id, account, request_id, url, host, base_url, state, due_at)
SELECT :seq, :event_id, account, id,
    json_extract(webhook, '$.url'), json_extract(webhook, '$.host'), json_extract(webhook, '$.base_url'),
    CASE WHEN EXISTS (
        SELECT 1 FROM webhooks_off AS off
        WHERE off.account = requests.account AND off.url = json_extract(webhook, '$.url')
    ) THEN 'disabled' ELSE 'pending' END,
    :now
FROM requests
WHERE id = :id;

-- name: hurry
-- Earlier deliveries of a request that wait for another try have it now, and then make way for the later one.
UPDATE deliveries
SET due_at = :now
WHERE request_id = :id AND seq < :seq AND state = 'pending' AND holder IS NULL;

-- name: of_account
-- What happened to an account's requests after an event.
SELECT seq, account, request_id, attempt, state, happened_at, queue_position
FROM events
WHERE account = :account AND seq > :after
ORDER BY seq LIMIT :limit;

-- name: statuses
-- What a poll tells, of many requests.
SELECT requests.id, state, order_key, seq, started_at, progress, stage, logs, preview
FROM json_each(:ids) AS asked JOIN requests ON requests.id = asked.value;

-- name: forget_events
-- Drops what happened to requests.
DELETE FROM events WHERE request_id IN (SELECT value FROM json_each(:ids));

-- name: forget_deliveries
-- Drops the deliveries of requests, told or not.
DELETE FROM deliveries WHERE request_id IN (SELECT value FROM json_each(:ids));
