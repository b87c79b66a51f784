"""The page of shared state."""
