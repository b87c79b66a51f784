"""Functions to try Pooldeck with, and to copy from."""
