"""The worker process: `python -m pooldeck.worker` runs calls and reports their outcomes.

`__main__` draws the threads. The way of a call: `runner` or `thread_runner` performs it, `calls`
runs it between `conversion` and `results`, `failures` words what went wrong, `task_log` and
`channel` report it. `exits`, `output`, `descriptors` and `process_state` protect the worker from
its tasks.
"""
