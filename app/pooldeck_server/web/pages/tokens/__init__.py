"""The page of the named tokens, for admins."""
