"""The documentation as a site: what is added to the pages of docs/ when mkdocs builds it."""
