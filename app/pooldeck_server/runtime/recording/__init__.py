"""The writer: every change of the store, and what is written beside it."""
