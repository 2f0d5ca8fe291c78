-- What shows how a running request gets on, and what made the outputs of one that succeeded.

ALTER TABLE requests ADD COLUMN preview TEXT NOT NULL DEFAULT '';    -- token of a file; empty where there is none
ALTER TABLE requests ADD COLUMN served_by TEXT NOT NULL DEFAULT '';  -- weights or a vendor's model
