"""Functions: the list, the page of one, and its form."""
