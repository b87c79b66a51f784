"""The pages of one real server, over HTTP and in a real browser."""
