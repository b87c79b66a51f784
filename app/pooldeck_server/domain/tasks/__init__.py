"""Tasks: states, submissions, reruns, dependencies."""
