"""What the running server learns of its functions, and what it advises: see `pooldeck_server.advice`."""
