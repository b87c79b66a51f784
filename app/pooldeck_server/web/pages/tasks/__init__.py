"""The list of tasks, and changes of many at once."""
