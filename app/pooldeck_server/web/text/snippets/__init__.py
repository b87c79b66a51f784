"""Calls of the API as texts to copy: for a shell, for Python, for the command line.

They are for a POSIX shell, and for whatever Python reads them: what cannot be printed is escaped,
so that a page that leaves out what terminals obey shows them whole. A token never stands in them.
"""
