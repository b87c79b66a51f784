"""`pooldeck run`: a function over the lines of a file, some of which are under way at a time.

A thread reads lines, one listens for ends, and the main thread stores tasks and writes results.
What is read waits for room: as many lines as the window has are in memory, and no more.
"""
