"""Bad things done to a real server, and an oracle that says what does not hold afterwards.

The oracle (`oracle.py`) knows nothing of the server's inside. It compares the ledger that the client
keeps (`ledger.py`), the effect log that the functions keep (`effects.py`), the API, the database
file, and the processes that are left. Rounds and chance of the tests: POOLDECK_ROUNDS (12) and
POOLDECK_SEED. `make soak` puts everything together for ten minutes.

| fault | tests |
| --- | --- |
| 1 to 3: kill -9 of the server | `test_killed_server.py` |
| 4, 15: SIGTERM, SIGSTOP | `test_stopped_server.py`; to all processes, closed terminals, process 1: `tests/served/test_stops.py`; open streams also `tests/web/test_server.py` |
| 5, 6, 9: death of a worker, memory, grandchildren | `test_worker_deaths.py`; whether memory was the cause: `tests/pooldeck/test_memory.py` |
| 7, 8: endless tasks, held GIL, starvation | `test_endless_tasks.py` |
| 10, 22: outcomes that cannot travel, floods | `test_outcomes.py`; each kind: `tests/pooldeck/test_results.py`, `test_failures.py`, `test_capture.py` |
| 11 to 13: full disk, locked or unusable database | `test_storage.py`; read-only: `tests/store/test_database.py` |
| 14: the clock jumps | `test_clock.py`; backwards at each look: `tests/runtime/test_service.py` |
| 16 to 18, 23: many streams, bad requests, credentials | `tests/web` |
| 19, 20: workers that cannot start | `test_broken_pools.py` |
| hosts, their keepers and workers, Dask, the links between them | `test_hosts_at_random.py`; one by one: `tests/pooldeck/hosts/test_failures.py`, `test_losses.py`, `tests/pooldeck_server/runtime/hosts/test_dask_faults.py`, `test_killed_server.py` |
| 21: two servers on one database | `tests/test_serve.py`, `tests/store/test_database.py` |
"""  # noqa: E501 - a table
