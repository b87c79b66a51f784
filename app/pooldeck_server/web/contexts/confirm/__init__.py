"""What is asked before something is done that cannot be undone."""
