"""The examples of README.md and docs/: where they stand, and who runs them."""
