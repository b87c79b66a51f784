"""Experiments: the list, the page of one, and the form that begins one."""
