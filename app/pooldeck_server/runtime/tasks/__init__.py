"""Tasks under way: from a submission to its queue, to a worker, to its end."""
