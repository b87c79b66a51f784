"""Hosts as the server has them: the door where they dial in, and what earlier runs left on some."""
