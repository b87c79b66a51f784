"""How long tasks are kept, and how much room they take."""
