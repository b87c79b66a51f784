"""The worker process: `python -m pooldeck.worker` runs calls and reports their outcomes.

`__main__` draws the threads. The way of a call: `runner` or `thread_runner` performs it, `calls`
runs it between its arguments (`functions`) and its result (`values`), `failures` words what went
wrong, `logs` has what it says, `channel` reports it, and `leftovers` puts back what it has changed.
`exits`, `descriptors` and `end_signals` protect the worker from its tasks and from outside.
"""
