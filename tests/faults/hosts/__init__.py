"""A server whose pool is on hosts that Dask places, and what can be done to all that takes part.

test ── client ──▶ server ── companion ──▶ scheduler ── nanny ── Dask worker ── agent
                     ▲                                                            │ starts, holds
                     └───── relay ◀──────────── host process ◀────────────────────┘
                                                  ├─ keeper
                                                  └─ workers
"""
