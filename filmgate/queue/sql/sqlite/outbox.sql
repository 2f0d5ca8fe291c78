-- Who tries a delivery names its claim in every write: one whose claim lapsed and is another's now matches no row.

-- name: any_due
-- Whether a delivery may be claimed.
SELECT 1
FROM deliveries AS due
WHERE state = 'pending' AND due_at <= :now
    AND host NOT IN (SELECT value FROM json_each(:full))
    AND NOT EXISTS (
        SELECT 1 FROM deliveries AS earlier
        WHERE earlier.request_id = due.request_id AND earlier.seq < due.seq AND earlier.state = 'pending'
    )
LIMIT 1;

-- name: claim
-- Gives a courier the delivery that is due longest and has no earlier one of its request before it.
UPDATE deliveries
SET claim = claim + 1, holder = :holder, due_at = :lease_ends_at
WHERE seq = (
    SELECT seq FROM deliveries AS due
    WHERE state = 'pending' AND due_at <= :now
        AND host NOT IN (SELECT value FROM json_each(:full))
        AND NOT EXISTS (
            SELECT 1 FROM deliveries AS earlier
            WHERE earlier.request_id = due.request_id AND earlier.seq < due.seq AND earlier.state = 'pending'
        )
    ORDER BY due_at, seq LIMIT 1
)
RETURNING seq;

-- name: by_seq
-- One delivery with its event.
SELECT deliveries.seq, deliveries.account, deliveries.request_id, attempt, events.state, happened_at, queue_position,
    url, host, base_url, deliveries.state AS delivery_state, due_at, holder, claim, tried, tries
FROM deliveries JOIN events ON events.seq = deliveries.seq
WHERE deliveries.seq = :seq;

-- name: by_event_id
-- One delivery of an account with its event.
SELECT deliveries.seq, deliveries.account, deliveries.request_id, attempt, events.state, happened_at, queue_position,
    url, host, base_url, deliveries.state AS delivery_state, due_at, holder, claim, tried, tries
FROM deliveries JOIN events ON events.seq = deliveries.seq
WHERE deliveries.event_id = :event_id AND deliveries.account = :account;

-- name: log
-- An account's deliveries with their events, latest first.
SELECT deliveries.seq, deliveries.account, deliveries.request_id, attempt, events.state, happened_at, queue_position,
    url, host, base_url, deliveries.state AS delivery_state, due_at, holder, claim, tried, tries
FROM deliveries JOIN events ON events.seq = deliveries.seq
WHERE deliveries.account = :account AND deliveries.seq < :before
    AND (:request_id IS NULL OR deliveries.request_id = :request_id)
    AND (:state IS NULL OR deliveries.state = :state)
ORDER BY deliveries.seq DESC LIMIT :limit;

-- name: release_all
-- Makes due what a holder of this name claimed and neither settled nor released.
UPDATE deliveries
SET due_at = :now, holder = NULL
WHERE state = 'pending' AND holder = :holder;

-- name: release
-- Makes a claimed delivery due again.
UPDATE deliveries
SET due_at = :now, holder = NULL
WHERE seq = :seq AND claim = :claim AND state = 'pending';

-- name: settle
-- Writes how a try went. What would be tried again later is overtaken when there is a later delivery of its request.
UPDATE deliveries
SET due_at = :due_at, holder = NULL, tried = tried + 1, tries = :tries,
    state = CASE WHEN :state = 'pending' AND EXISTS (
        SELECT 1 FROM deliveries AS later
        WHERE later.request_id = deliveries.request_id AND later.seq > deliveries.seq
    ) THEN 'overtaken' ELSE :state END
WHERE seq = :seq AND claim = :claim AND state = 'pending';

-- name: switch_off
-- Remembers that an account sends nothing more to a URL.
INSERT INTO webhooks_off (account, url, since)
VALUES (:account, :url, :now)
ON CONFLICT (account, url) DO NOTHING;

-- name: disable
-- Takes an account's pending deliveries to a URL out of the queue.
UPDATE deliveries
SET state = 'disabled', holder = NULL
WHERE account = :account AND url = :url AND state = 'pending';

-- name: switch_on
-- An account sends to a URL again.
DELETE FROM webhooks_off WHERE account = :account AND url = :url;

-- name: switched_off
-- Since when an account sends nothing to a URL.
SELECT since FROM webhooks_off WHERE account = :account AND url = :url;

-- name: resend
-- Makes a delivery that nobody holds due now, with all its tries before it.
UPDATE deliveries
SET state = 'pending', due_at = :now, tried = 0
WHERE event_id = :event_id AND account = :account AND holder IS NULL;
