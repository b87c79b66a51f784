"""What several pages use: rendering, routes, forms, flash messages, confirmations."""
