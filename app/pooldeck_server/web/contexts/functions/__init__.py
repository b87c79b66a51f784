"""Functions: the list, and the page of one."""
