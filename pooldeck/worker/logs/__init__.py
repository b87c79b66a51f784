"""What a worker's calls say: caught, kept within bounds, and sent to the supervisor.

`capture` takes what Python writes and logs, `output` what C code and programs write; by
`inheritance` the threads of a task are heard as well. `gathered_log` gathers lines, `task_log`
makes them a call's, and `flusher` sends them. `logging_state` puts logging back, `last_words` keeps
what a death would take along.
"""
