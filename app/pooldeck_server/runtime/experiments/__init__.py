"""Experiments: a function tried in temporary pools of several sizes, beside the real ones.

`experiments` keeps them and runs one at a time; `sweep` goes through the sizes; `trial` measures
one size in a pool of its own; `window` makes figures of what was measured.
"""
