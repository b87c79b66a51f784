"""The way of a task: from its submission to its queue, to a worker, to its end."""
