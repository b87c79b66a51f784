"""One task's page."""
