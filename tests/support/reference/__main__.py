"""`make reference`: brings the tables of docs/reference.md and others up to date with the code."""

from tests.support.reference.page import PARTS, write_parts

if __name__ == "__main__":
    for page in PARTS:
        write_parts(page)
