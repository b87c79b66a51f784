"""The pools, what a size means, what was done to them."""
