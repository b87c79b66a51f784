"""Engines: what offers hosts for pools on other machines. Dask distributed is the first.

    server ── socket pair ── companion ── engine ── agents, one on each host
                             (`python -m pooldeck.engines`)  └ holds a host process

The server says how many hosts a pool wants; the companion asks the engine for places; on each
place an agent starts a host process (`pooldeck.hosts`), or finds the one that is there already, and
waits for its end. Host processes dial the server themselves: no call passes through here, and the
death of companion, engine or agent stops none.

`port` is what an engine is to the companion, `frames` what goes over the socket pair, `slots` the
account of the agents that are wanted, `holding` an agent's work, `dask` and `dask_host` the two
sides of Dask. Only these two import it, and only a companion and Dask's own workers import them.
"""
