-- name: publish
-- Puts an uploaded file behind its token.
INSERT INTO files (token, name, storage_key, content_type, size_bytes, digest, account, created_at)
VALUES (:token, :name, :storage_key, :content_type, :size_bytes, :digest, :account, :now);

-- name: public
-- The file behind a token, an upload or an output.
SELECT token, name, storage_key, content_type, size_bytes, digest, account FROM files WHERE token = :token;

-- name: expired
-- Files that are older than anything that is kept.
SELECT token, name, storage_key, content_type, size_bytes, digest, account FROM files
WHERE created_at < :before
LIMIT :limit;

-- name: forget
-- Takes the file from behind its token.
DELETE FROM files WHERE token = :token;

-- name: blob
-- The frozen form of what was sent.
SELECT blob FROM blobs WHERE digest = :digest;

-- name: add_blob
-- Remembers a frozen form; the latest one counts, the earlier may have been swept from storage.
INSERT INTO blobs (digest, blob)
VALUES (:digest, :blob)
ON CONFLICT (digest) DO UPDATE SET blob = excluded.blob;
