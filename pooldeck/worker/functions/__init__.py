"""The user's modules and the functions in them: found, described, and given their arguments."""
