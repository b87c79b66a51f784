"""Where the time of a task goes on its way through the server: CPU and wall, stage by stage.

The server that runs is the real one, under the load that `bench.batches` and `bench.requests` give
it. Before it starts, stopwatches are hung around those of its functions that `parts` names; its own
code knows nothing of them. Each counts, in each thread, what passes between the beginning and the
end of a call, without what passes in the named functions that are called within it. What the
stopwatches take themselves is measured at the start and taken off again.

A name that is not there any more ends the measurement, and so does one that no task came by: then
`parts` has to follow the code.
"""
