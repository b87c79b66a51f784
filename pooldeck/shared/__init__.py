"""State that tasks share, by name, from every worker of every pool of the server.

    from pooldeck import shared

    shared.counter("hits").add()
    shared.dict("prices").increment("apples", 3)
    shared.list("found").append({"page": 7})
    with shared.lock("ledger", timeout=5): ...
    with shared.semaphore("licences", 3): ...
    shared.rate_limiter("api.example.com", per_second=10, burst=5).acquire()

It lives in a process of its own, over `multiprocessing.managers`, as long as this run of the
server: what must survive belongs in a database. Values are data as JSON has it, copied in and out.
Outside a server, in a test or a script, the same names work within the process.

    proxies ─▶ backend ─▶ Remote, a connection per thread ══ socket ══▶ process: State
                     └──▶ Local: State
"""

from pooldeck.shared.errors import (
    NotHeldError,
    SharedError,
    SharedLimitError,
    SharedLostError,
    SharedUnavailableError,
    SharedValueError,
)
from pooldeck.shared.locking import Lock as lock  # noqa: N813 - as above
from pooldeck.shared.locking import Semaphore as semaphore  # noqa: N813 - as above
from pooldeck.shared.proxies import Counter as counter  # noqa: N813 - called like the functions they
from pooldeck.shared.proxies import Dict as dict  # noqa: A004, N813 - are: shared.dict("name")
from pooldeck.shared.proxies import List as list  # noqa: A004, N813 - as above
from pooldeck.shared.proxies import RateLimiter as rate_limiter  # noqa: N813 - as above

__all__ = [
    "NotHeldError",
    "SharedError",
    "SharedLimitError",
    "SharedLostError",
    "SharedUnavailableError",
    "SharedValueError",
    "counter",
    "dict",
    "list",
    "lock",
    "rate_limiter",
    "semaphore",
]
