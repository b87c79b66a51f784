"""Tells people of what happens: rules, an outbox in the store, and who sends from it."""
