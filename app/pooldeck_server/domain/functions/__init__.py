"""Functions: the catalogue, its check of arguments, and placements."""
