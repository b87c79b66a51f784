"""The page of the pools, and what can be done to them."""
