"""Start, recovery and end of the server."""
