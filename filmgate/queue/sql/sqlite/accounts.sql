-- name: account
-- One account.
SELECT id, email, display_name, username, balance_microdollars FROM accounts WHERE id = :id;

-- name: add_account
-- Adds an account; one that is there already stays as it is.
INSERT INTO accounts (id, email, display_name, username, balance_microdollars)
VALUES (:id, :email, :display_name, :username, :balance_microdollars)
ON CONFLICT (id) DO NOTHING;

-- name: any_key
-- Whether a key was ever made, revoked ones included.
SELECT EXISTS (SELECT 1 FROM keys);

-- name: key
-- The key of a secret, by the secret's digest.
SELECT id, account, name, hint, created_at, expires_at, revoked_at, last_used_at FROM keys WHERE digest = :digest;

-- name: keys
-- All keys, oldest first.
SELECT id, account, name, hint, created_at, expires_at, revoked_at, last_used_at FROM keys ORDER BY created_at, id;

-- name: add_key
-- Adds a key; a secret that has one already keeps it.
INSERT INTO keys (id, digest, account, name, hint, created_at, expires_at, revoked_at, last_used_at)
VALUES (:id, :digest, :account, :name, :hint, :created_at, :expires_at, :revoked_at, :last_used_at)
ON CONFLICT (digest) DO NOTHING;

-- name: revoke_key
-- Takes a key out of use, once.
UPDATE keys SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL;

-- name: forget_devices
-- Deletes logins that ended long ago.
DELETE FROM device_logins WHERE expires_at <= :before;

-- name: expire_devices
-- Frees the user codes of logins that nobody decided in time.
UPDATE device_logins SET state = 'expired' WHERE state = 'pending' AND expires_at <= :now;

-- name: start_device
-- Begins a login; a user code that another pending one has is not given twice.
INSERT INTO device_logins (digest, user_code, state, expires_at)
VALUES (:digest, :user_code, 'pending', :expires_at)
ON CONFLICT DO NOTHING;

-- name: decide_device
-- Approves or denies a pending login.
UPDATE device_logins
SET state = :state, account = :account
WHERE user_code = :user_code AND state = 'pending' AND expires_at > :now;

-- name: device
-- Where a login is.
SELECT user_code, state, account, expires_at FROM device_logins WHERE digest = :digest;

-- name: consume_device
-- Closes an approved login, once: its key is handed out in the same transaction.
UPDATE device_logins
SET state = 'consumed'
WHERE digest = :digest AND state = 'approved' AND expires_at > :now
RETURNING user_code, account, expires_at;
