"""The Pooldeck server.

The way of a task, and what runs each step (one event loop, one writer thread, many processes;
`work`, `record` and `picture` are packages of `pooldeck_server.runtime`)::

    POST /api/v1/tasks
      │  web.api        strict JSON into a Submission                          event loop
      ▼
    work.intake         checked against the catalogue, numbered                event loop
      │
      ▼
    record.recorder     stored, with whatever else waits; then 202             writer thread
      │
      ▼
    work.dispatcher     a queue per pool, bounded; the rest waits in the store event loop
      │  a slot is free; the claim is committed first
      ▼
    work.in_hand        what the workers have; listens to the pool             event loop
      │
      ▼
    pooldeck.pools      a frame to a free slot                                 event loop
      │
      ▼
    pooldeck.worker     runs the function, measures it, reports the outcome    worker process
      │
      ▼
    work.in_hand        the report becomes a record: an end, or a rerun        event loop
      │
      ▼
    record.recorder     the outcome is stored, in one commit with others       writer thread
      │  only after the commit; what is run again goes by work.requeue to its dispatcher
      ▼
    picture.feed        counts, those who wait, frames                         event loop
      │
      ▼
    web.api.live        one event for all browsers (SSE)

Imports go one way: cli, main → web → runtime → store → domain; only runtime knows pools.
"""
