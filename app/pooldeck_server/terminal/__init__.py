"""The server's standard error: one line for each thing that somebody should know.

The parts of the server write to `logging`, each where a thing becomes known. Here is what decides
which of these lines are seen (`setup`), how often (`repeats`), and how they look (`lines`).
"""
