"""The Pooldeck server.

The way of a task, and what runs each step (one event loop, one writer thread, many processes)::

    POST /api/v1/tasks
      │  web.api        strict JSON into a Submission                          event loop
      ▼
    runtime.intake      checked against the catalogue, numbered                event loop
      │
      ▼
    runtime.recorder    stored, with whatever else waits; then 202             writer thread
      │
      ▼
    runtime.dispatcher  a queue per pool, bounded; the rest waits in the store event loop
      │  a slot is free; the claim is committed first
      ▼
    runtime.in_hand     what the workers have; listens to the pool             event loop
      │
      ▼
    pooldeck.pools.pool       a frame to a free slot                                 event loop
      │
      ▼
    pooldeck.worker     runs the function, measures it, reports the outcome    worker process
      │
      ▼
    runtime.in_hand     the report becomes a record: an end, or a rerun        event loop
      │
      ▼
    runtime.recorder    the outcome is stored, in one commit with others       writer thread
      │  only after the commit; what is run again goes by runtime.requeue to its dispatcher
      ▼
    runtime.feed        counts, those who wait, frames                         event loop
      │
      ▼
    web.api.live        one event for all browsers (SSE)

Imports go one way: cli, main → web → runtime → store → domain; only runtime knows pools.
"""
