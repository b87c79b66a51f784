"""Failures: errors in groups, incidents, and hints on them."""
