"""The page of alerts: who is told of what, and what became of the messages."""
