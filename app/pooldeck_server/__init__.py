"""The Pooldeck server.

The way of a task, and what runs each step (one event loop, one writer thread, many processes;
`tasks`, `recording` and `live` are packages of `runtime`)::

    POST /api/v1/tasks
      │  web.api        strict JSON into a Submission                          event loop
      ▼
    tasks.intake        checked against the catalogue, numbered                event loop
      │
      ▼
    recording.recorder  stored, with whatever else waits; then 202             writer thread
      │
      ▼
    tasks.dispatcher    a queue per pool, bounded; the rest waits in the store event loop
      │  a slot is free; the claim is committed first
      ▼
    tasks.running       what the workers have; listens to the pool             event loop
      │
      ▼
    pooldeck.pools      a frame to a free slot                                 event loop
      │
      ▼
    pooldeck.worker     runs the function, measures it, reports the outcome    worker process
      │
      ▼
    tasks.running       the report becomes a record: an end, or a rerun        event loop
      │
      ▼
    recording.recorder  the outcome is stored, in one commit with others       writer thread
      │  only after the commit; what is run again goes by tasks.requeue to its dispatcher
      ▼
    live.frames         one picture for all who look                           event loop
      │
      ▼
    web.api.live        one event for all browsers (SSE)

Imports go one way: cli, main → web → runtime → (store | advice) → settings → domain; only runtime
knows pools.
"""
