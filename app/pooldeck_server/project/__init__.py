"""`pooldeck init`: a project to start from."""
