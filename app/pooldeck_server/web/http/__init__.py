"""What stands before every call: the server, deadlines, the guard, bodies, errors, static files."""
