-- name: of_account
-- The secrets of an account that are valid, latest first.
SELECT salt, created_at, expires_at
FROM webhook_secrets
WHERE account = :account AND (expires_at IS NULL OR expires_at > :now)
ORDER BY created_at DESC, expires_at IS NOT NULL;

-- name: drop_replaced
-- Ends the secrets that were replaced before.
DELETE FROM webhook_secrets WHERE account = :account AND expires_at IS NOT NULL;

-- name: expire_current
-- Lets the secret that is being replaced end soon.
UPDATE webhook_secrets SET expires_at = :expires_at WHERE account = :account;

-- name: add_secret
-- Adds a secret by its salt.
INSERT INTO webhook_secrets (salt, account, created_at) VALUES (:salt, :account, :now);

-- name: signing_keys
-- Which key pair signs, and until when the one before it does too.
SELECT current, previous_until FROM signing_keys;

-- name: rotate
-- The next key pair signs from now on.
UPDATE signing_keys
SET current = current + 1, previous_until = :previous_until
RETURNING current, previous_until;
