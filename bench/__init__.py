"""What Pooldeck does per second, and what that costs: `python -m bench` measures it.

Each module that has a `measure` owns one measurement. A server is always a process of its own with
a fresh database on disk and the default durability; so is the load generator, so that neither
shares a GIL with what is measured. Both sides of a ratio are measured by the same code, in turn,
and the ratio is the median of those of the rounds.
"""
