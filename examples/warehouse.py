"""A database: every worker opens a connection of its own, since a connection cannot be shared.

`@resource` opens it at first use, once for each thread, and closes it when the worker ends.
`pooldeck.toml` also names `connect` as the initializer of the pool `cpu`: there a worker is ready
only once it is connected, and no task waits for that.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TypedDict

from pooldeck import resource, task

DATABASE = Path("examples/data/warehouse.sqlite")

_SCHEMA = """
CREATE TABLE orders (number INTEGER PRIMARY KEY, customer TEXT, lane INTEGER, amount REAL);
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000)
INSERT INTO orders
SELECT n, 'customer ' || (n * 7919 % 97), n % 8 + 1, (n * 104729 % 10000) / 100.0 FROM numbers;
"""
_BEST_CUSTOMERS = """
SELECT customer, COUNT(*) AS orders, ROUND(SUM(amount), 2) AS total FROM orders
WHERE amount >= :at_least GROUP BY customer ORDER BY total DESC LIMIT :top
"""


class Customer(TypedDict):
    """One line of what `query_orders` returns."""

    customer: str
    orders: int
    total: float


@resource
def connect() -> sqlite3.Connection:
    """Open this thread's connection; each further call returns the same.

    Raises:
        FileNotFoundError: If the warehouse has not been filled.
    """
    if not DATABASE.is_file():
        raise FileNotFoundError(f"{DATABASE} is missing: python -m examples.samples examples/data")
    return sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True)


@task(pool="cpu")
def query_orders(at_least: float = 50, top: int = 5) -> list[Customer]:
    """Find the best customers of the warehouse.

    Args:
        at_least: Orders of a smaller amount do not count.
        top: How many customers to return.
    """
    rows = connect().execute(_BEST_CUSTOMERS, {"at_least": at_least, "top": top})
    return [Customer(customer=name, orders=count, total=total) for name, count, total in rows]


def fill(database: Path) -> None:
    """Make a warehouse of 20,000 orders, the same each time, in a new file."""
    database.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(_SCHEMA)
