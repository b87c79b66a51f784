"""Alerts: what is worth telling somebody who is not looking, and how it is told."""
