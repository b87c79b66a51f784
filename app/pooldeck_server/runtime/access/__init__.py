"""Who may come in, beside those who show the server's token."""
