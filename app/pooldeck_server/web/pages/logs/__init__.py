"""The search in the logs of all tasks."""
