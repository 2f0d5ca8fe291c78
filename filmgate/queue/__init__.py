"""The database behind the ports Queue, Accounts and Files: one adapter for each kind, with its SQL in files."""
