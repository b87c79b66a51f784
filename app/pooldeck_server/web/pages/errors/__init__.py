"""Groups of errors: the list, and the page of one."""
