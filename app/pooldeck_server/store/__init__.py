"""The database: every write is in `records`, every read in `queries`."""
