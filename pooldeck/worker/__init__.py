"""A worker from inside: `python -m pooldeck.worker` runs calls and reports their outcomes.

`__main__` draws the threads. What a call goes through: `desk` or `threads` takes it, `calls` runs
it between `conversion` and `results`, `failures` words what went wrong, `journal` and `channel`
report it. `exits`, `output`, `descriptors` and `surroundings` protect the worker from its tasks.
"""
