"""`RemoteExecutor`: an executor as any other, and CPython's own tests of executors run with it."""

from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any, Final

import pytest

from pooldeck import Client, RemoteExecutor
from tests.functions import client_functions as functions
from tests.support.served import Served, served
from tests.support.stdlib_tests import STDLIB
from tests.support.waiting import eventually

BOUND = 120
SUITES: Final = ("ExecutorTest", "WaitTests", "AsCompletedTests", "ExecutorShutdownTest")
_OTHER: Final = "imports the class by its name from concurrent.futures in another program"
_JSON: Final = "wants back what JSON has not: a tuple, or an object of a class of the test's"
LEFT_OUT: Final = {
    "test_submit_keyword": _JSON,
    "test_map_exception": _JSON,
    "test_free_reference": _JSON,
    "test_no_stale_references": "submits a method, which no server has the object of",
    "test_max_workers_negative": "the server, not the program, says how many run at a time",
    "test_interpreter_shutdown": _OTHER,
    "test_submit_after_interpreter_shutdown": _OTHER,
    "test_hang_gh83386": _OTHER,
    "test_hang_gh94440": "starts processes, of which the executor has none",
    "test_map_buffersize": "is of a later Python, whose `map` has that parameter",
}


def executor_of(server: Served, **options: Any) -> Executor:
    return RemoteExecutor(f"http://127.0.0.1:{server.port}", **options)


@pytest.fixture(scope="module")
def stdlib_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with the functions of those tests."""
    pools = {"io": {"kind": "thread", "size": 5}}
    module = "tests.functions.stdlib_functions"
    with served(tmp_path_factory.mktemp("stdlib"), functions=(module,), pools=pools) as server:
        yield server


@pytest.fixture
def is_of_the_server(request: pytest.FixtureRequest, stdlib_server: Served) -> None:
    """Have a suite's executors be of the server."""

    def made(*, max_workers: int) -> Executor:
        del max_workers  # the server has as many
        return executor_of(stdlib_server)

    request.cls.executor_type = staticmethod(made)


def suite(name: str) -> type:
    mixin = STDLIB[name]
    without: dict[str, Any] = {left: None for left in LEFT_OUT if hasattr(mixin, left)}
    bases = (mixin, STDLIB["ExecutorMixin"], STDLIB["BaseTestCase"])
    made = type(f"Remote{name}", bases, without | {"__module__": __name__})
    return pytest.mark.soak(pytest.mark.usefixtures("is_of_the_server")(made))


if STDLIB:
    for _name in SUITES:
        globals()[f"Remote{_name}"] = suite(_name)


def test_it_is_an_executor(url: str) -> None:
    with RemoteExecutor(url, pool="io", tags=["executor"]) as executor:
        assert isinstance(executor, Executor)
        future = executor.submit(functions.add, 2, b=8)
        assert list(executor.map(functions.add, range(10), timeout=BOUND)) == list(range(2, 12))
        assert future.result(BOUND) == 10
        assert (future.task()["pool"], future.task()["tags"]) == ("io", ["executor"])
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(functions.add, 1)
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.map(functions.add, [1])


def test_a_shutdown_waits_for_what_was_submitted(url: str) -> None:
    executor = RemoteExecutor(url)
    futures = [executor.submit(functions.add, number) for number in range(20)]
    results = executor.map(functions.add, range(20))
    executor.shutdown()
    assert all(future.done() for future in futures)
    assert list(results) == list(range(2, 22))


def test_a_client_that_is_given_stays_open(client: Client) -> None:
    with RemoteExecutor(client) as executor:
        assert executor.submit(functions.add, 1).result(BOUND) == 3
    assert client.submit(functions.add, 1).result(BOUND) == 3


def test_a_shutdown_can_cancel_what_has_not_started(client: Client, tmp_path: Any) -> None:
    gate = tmp_path / "gate"
    executor = RemoteExecutor(client)
    held = executor.submit(functions.hold, str(gate))
    eventually(held.running, "it runs")
    waiting = [executor.submit(functions.hold, str(gate)) for _ in range(10)]
    executor.shutdown(wait=False, cancel_futures=True)
    eventually(lambda: all(future.cancelled() for future in waiting), "they are cancelled")
    gate.touch()
    assert held.result(BOUND) == "open"


def test_an_event_loop_runs_in_it(client: Client) -> None:
    import asyncio  # noqa: PLC0415

    async def main() -> int:
        with RemoteExecutor(client) as executor:
            return await asyncio.get_running_loop().run_in_executor(executor, functions.add, 5)

    assert asyncio.run(main()) == 7
