"""Settings: what can be set, where it is read from, and what is said of a wrong one."""
