"""Everything that is started and stopped: the way of a task through the server."""
