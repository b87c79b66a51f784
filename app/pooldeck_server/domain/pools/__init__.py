"""Pools: health, history, loads, sizes, and what is set by hand."""
