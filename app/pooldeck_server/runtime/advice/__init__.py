"""What the running server advises on functions and pools; the rules are in `advice`."""
