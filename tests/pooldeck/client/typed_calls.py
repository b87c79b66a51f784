"""What type checkers say of calls: mypy reads this file, and finds the errors that it has to.

Each line that has to be refused is marked to be ignored; a mark that nothing needs is an error too.
"""

from collections.abc import Coroutine, Iterator
from typing import Any, assert_type

from pooldeck import AsyncClient, Client, RemoteFuture, task


@task
def add(a: int, b: int = 2) -> int:
    return a + b


@task(pool="io", retries=2)
async def fetch(url: str) -> bytes:
    return url.encode()


@task
def anything(value: Any) -> Any:
    return value


def by_the_function_itself() -> None:
    assert_type(add(2, 3), int)
    assert_type(add.submit(2, 3), RemoteFuture[int])
    assert_type(add.delay(2), RemoteFuture[int])
    assert_type(add.map([1, 2]), Iterator[int])
    assert_type(add.options(pool="cpu").submit(1, b=2), RemoteFuture[int])
    never_awaited: Coroutine[Any, Any, bytes] = fetch("x")
    never_awaited.close()
    assert_type(fetch.submit("x"), RemoteFuture[bytes])
    assert_type(fetch.map(["x"]), Iterator[bytes])
    assert_type(anything(1), Any)
    add("2")  # type: ignore[arg-type]
    add.submit("2")  # type: ignore[arg-type]
    add.submit()  # type: ignore[call-arg]
    add.options(pool="cpu").delay(c=1)  # type: ignore[call-arg]
    fetch.submit(1)  # type: ignore[call-overload]
    anything()  # type: ignore[call-arg]


def by_a_client(client: Client) -> None:
    assert_type(client.submit(add, 2, 3), RemoteFuture[int])
    assert_type(client.submit(fetch, "x"), RemoteFuture[bytes])
    assert_type(client.submit("jobs.add", 2, "3"), RemoteFuture[Any])
    assert_type(client.map(add, [1, 2]), Iterator[int])
    assert_type(client.submit(add, 2).result(), int)
    first = client.submit(add, 2)
    client.submit(add, first.argument)
    client.submit(add, first)  # type: ignore[call-overload]
    client.submit(add, "2")  # type: ignore[call-overload]
    client.submit(add, 2, c=3)  # type: ignore[arg-type, call-arg]
    client.submit(2)  # type: ignore[call-overload]


async def by_a_client_that_is_awaited(client: AsyncClient) -> None:
    assert_type(await client.submit(add, 2, 3), int)
    assert_type(await client.submit(fetch, "x"), bytes)
    async for number in client.map(add, [1, 2]):
        assert_type(number, int)
    client.submit(add, "2")  # type: ignore[call-overload]
