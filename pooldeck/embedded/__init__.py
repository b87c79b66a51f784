"""A pool inside a program of the user's: what `pooldeck.ProcessPool` is made of.

    the program's threads │ the pool's thread: an event loop │ worker processes
    ──────────────────────┼──────────────────────────────────┼──────────────────────────
    ProcessPool.submit ───┼─▶ Engine ─▶ pooldeck.pools.pool.Pool ══╪═ Call ═▶ worker.main
      pickles the call    │     ▲         supervisor, timers │   unpickles, calls, pickles
    Future.result ◀───────┼─ settle ◀────────────────────────┼══ Finished
                          │                                  │
                          │   launcher: a worker is a `Process` of the caller's context

The pool, its supervisor and the frames are those of the server. Different are what a call carries
(`parcels`: pickles instead of JSON), how a worker comes about (`launcher`), and what it does with
a call (`worker`).
"""
