"""How a server starts, sorts out what it finds, and ends."""
