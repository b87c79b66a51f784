"""Texts of the pages: words, numbers and sentences in the reader's language."""
