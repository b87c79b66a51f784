"""What each page shows: pure functions from the server's values to a template's data."""
