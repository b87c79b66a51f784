"""Tasks that come after others: tied at the door, released when those before have ended."""
