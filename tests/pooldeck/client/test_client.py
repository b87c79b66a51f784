"""`Client` against a real server: what becomes of what is submitted."""

import asyncio
import threading
from concurrent.futures import ALL_COMPLETED, CancelledError, Future, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pooldeck import Client
from pooldeck.client import default_client, use
from pooldeck.client.errors import (
    BadArguments,
    Detached,
    Refused,
    RemoteError,
    UnknownFunction,
)
from tests.functions import client_functions as functions
from tests.support.served import Served
from tests.support.waiting import eventually

BOUND = 120


def test_a_call_returns_what_the_function_returns(client: Client) -> None:
    assert client.submit(functions.add, 2, 3).result(BOUND) == 5
    assert client.submit(functions.add, a=2, b=3).result(BOUND) == 5
    assert client.submit(f"{functions.MODULE}.add", 2).result(BOUND) == 4


def test_an_async_function_gives_what_awaiting_it_gives(client: Client) -> None:
    assert client.submit(functions.shout, "hear").result(BOUND) == "HEAR"


def test_arguments_go_out_by_the_table_of_types(client: Client) -> None:
    assert client.submit(functions.day_after, date(2026, 2, 28)).result(BOUND) == "2026-03-01"
    assert client.submit(functions.echo, {date(2026, 2, 28): {1}}).result(BOUND) == {
        "2026-02-28": [1]
    }
    assert client.submit(functions.echo, 10**40).result(BOUND) == 10**40


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        (object(), TypeError, "the argument value contains object"),
        ({"rows": [float("nan")]}, ValueError, "NaN, which JSON does not have, at .rows[0]"),
        ("\ud800", ValueError, "the argument value has text that UTF-8 cannot hold"),
        ((row for row in [1]), TypeError, "pass list(...) of it"),
    ],
)
def test_what_is_no_json_is_refused_at_once_and_named(
    client: Client, value: Any, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as caught:
        client.submit(functions.echo, value=value)
    assert words in str(caught.value)


def test_an_argument_by_position_is_named_by_its_place(client: Client) -> None:
    with pytest.raises(TypeError, match=r"the argument \[1\] contains object"):
        client.submit(functions.add, 1, object())  # type: ignore[call-overload]


def test_what_no_server_could_know_is_refused_at_once(client: Client) -> None:
    with pytest.raises(TypeError, match="best one with @task, or name it as text"):
        client.submit(lambda: 1)


def test_a_burst_travels_in_few_requests_and_comes_back_in_order(
    client: Client, server: Served
) -> None:
    client.submit(functions.add, 0).result(BOUND)
    before = requests_of(server, "batch")
    futures = [client.submit(functions.add, number) for number in range(1000)]
    assert [future.result(BOUND) for future in futures] == [2 + number for number in range(1000)]
    assert requests_of(server, "batch") - before < 50


def requests_of(server: Served, what: str) -> float:
    """Return how many requests to a path the server has counted."""
    lines = server.http.get("/metrics").text.splitlines()
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith("pooldeck_http_request_seconds_count") and what in line
    )


def test_futures_are_those_of_the_standard_library(client: Client) -> None:
    futures: dict[Future[int], int] = {
        client.submit(functions.add, number): number for number in range(5)
    }
    assert {futures[done]: done.result() for done in as_completed(futures, BOUND)} == {
        number: number + 2 for number in range(5)
    }
    assert wait(futures, BOUND, ALL_COMPLETED).not_done == set()
    called: list[int] = []
    one = client.submit(functions.add, 1)
    one.add_done_callback(lambda future: called.append(future.result()))
    eventually(lambda: called == [3], "the callback was called")


def test_a_callback_may_wait_for_another_task(client: Client) -> None:
    found: list[int] = []
    first = client.submit(functions.add, 1)
    first.add_done_callback(lambda _: found.append(client.submit(functions.add, 5).result(BOUND)))
    eventually(lambda: found == [7], "the callback has its result")


def test_a_callback_that_raises_anything_keeps_no_other_from_being_called(client: Client) -> None:
    found: list[int] = []

    def leave(_: object) -> None:
        raise SystemExit

    for call in (leave, lambda future: found.append(future.result())):
        client.submit(functions.add, 1).add_done_callback(call)
    eventually(lambda: found == [3], "the second callback was called")


def test_the_result_may_be_waited_for_too_short(client: Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    future = client.submit(functions.hold, str(gate))
    with pytest.raises(TimeoutError):
        future.result(0.05)
    gate.touch()
    assert future.result(BOUND) == "open"


# Errors.


@pytest.mark.parametrize("kind", [ValueError, OSError, SyntaxError])
def test_an_exception_has_its_own_class_and_the_remote_traceback(
    client: Client, kind: type[Exception]
) -> None:
    failure = client.submit(functions.fail, kind.__name__, "no good").exception(BOUND)
    assert type(failure) is kind
    assert str(failure) == "no good"
    assert "client_functions.py" in str(failure.__cause__)


def test_a_missing_key_is_the_key_and_not_its_words(client: Client) -> None:
    failure = client.submit(functions.fail, "KeyError", "gone").exception(BOUND)
    assert isinstance(failure, KeyError)
    assert failure.args == ("gone",)


def test_an_exception_of_the_users_is_made_without_running_its_code(client: Client) -> None:
    functions.made.clear()
    failure = client.submit(functions.refuse).exception(BOUND)
    loud = client.submit(functions.be_loud).exception(BOUND)
    assert type(failure) is functions.Refusal
    assert str(failure) == "(7, 'no')"
    assert isinstance(loud, RemoteError)
    assert loud.type == f"{functions.MODULE}.Loud"
    assert functions.made == []


def test_a_class_that_is_not_imported_here_becomes_a_remote_error(client: Client) -> None:
    failure = client.submit(functions.hide).exception(BOUND)
    assert isinstance(failure, RemoteError)
    assert failure.type.endswith("HiddenError")
    assert failure.message == "in here"
    assert "hide" in str(failure.remote_traceback)


def test_what_would_end_this_program_too_becomes_a_remote_error(client: Client) -> None:
    assert isinstance(client.submit(functions.exit_at_once).exception(BOUND), RemoteError)


def test_a_crash_a_timeout_and_wrong_arguments_are_what_the_standard_library_has(
    client: Client,
) -> None:
    with pytest.raises(BrokenProcessPool, match="killed by SIGKILL"):
        client.submit(functions.die).result(BOUND)
    with pytest.raises(TimeoutError, match="after its start"):
        client.submit(functions.oversleep).result(BOUND)
    with pytest.raises(TypeError, match="b: "):
        client.submit(f"{functions.MODULE}.add", 1, "x").result(BOUND)


def test_a_bad_task_in_a_burst_costs_nobody_else(client: Client) -> None:
    good = [client.submit(functions.add, number) for number in range(200)]
    bad = client.submit(f"{functions.MODULE}.add", "x")
    unknown = [client.submit("nowhere.nothing", number) for number in range(200)]
    more = [client.submit(functions.add, number) for number in range(200)]
    assert isinstance(bad.exception(BOUND), BadArguments)
    assert all(isinstance(each.exception(BOUND), UnknownFunction) for each in unknown)
    with pytest.raises(UnknownFunction, match="is registered"):
        unknown[0].stored()
    assert [each.result(BOUND) for each in good + more] == [2 + each for each in range(200)] * 2


def test_a_task_with_too_large_arguments_is_refused_alone(client: Client) -> None:
    futures = [client.submit(functions.echo, "x" * size) for size in (1, 1_100_000, 2)]
    assert isinstance(futures[1].exception(BOUND), Refused)
    assert [futures[0].result(BOUND), futures[2].result(BOUND)] == ["x", "xx"]


def test_a_result_that_is_too_large_for_the_stream_comes_all_the_same(client: Client) -> None:
    assert client.submit(functions.large, 1_000_000).result(BOUND) == "x" * 1_000_000


# Cancelling.


def test_what_has_not_started_can_be_cancelled_and_never_runs(
    client: Client, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    first = client.submit(functions.hold, str(gate))
    eventually(first.running, "the first task runs")
    second = client.submit(functions.hold, str(gate))
    third = client.submit(functions.hold, str(gate))
    assert second.cancel()
    assert second.cancelled()
    assert wait([second], BOUND).done == {second}
    client.cancel(third.stored())
    with pytest.raises(CancelledError):
        third.result(BOUND)
    assert third.cancelled()
    gate.touch()
    assert first.result(BOUND) == "open"
    assert not first.cancel()


def test_what_runs_is_asked_to_end_and_can_be_killed(client: Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    asked = client.submit(functions.heed, str(gate))
    eventually(gate.exists, "it runs")
    assert not asked.cancel()
    assert asked.result(BOUND) is None
    endless = client.submit(functions.hold, str(tmp_path / "never"))
    eventually(endless.running, "it runs")
    assert endless.kill()
    with pytest.raises(CancelledError):
        endless.result(BOUND)
    assert not endless.kill()


# Options, and what hangs together.


def test_options_are_those_of_the_submission(client: Client) -> None:
    view = client.options(tags=["a"], priority=5, pool="io").options(tags=["b"], retries=3)
    task = view.submit(functions.add, 1).task()
    assert (task["tags"], task["priority"], task["pool"]) == (["b"], 5, "io")
    assert task["options"]["retries"] == 3
    later = datetime.now(UTC) + timedelta(days=1)
    scheduled = client.options(run_at=later).submit(functions.add, 1)
    assert scheduled.task()["state"] == "scheduled"
    assert scheduled.cancel()
    with pytest.raises(TypeError, match="there is no option colour"):
        client.options(colour="red")
    with pytest.raises(TypeError, match="priority"):
        client.options(priority="high")


def test_the_same_key_gives_the_same_task(client: Client) -> None:
    view = client.options(idempotency_key="only-once")
    assert view.submit(functions.add, 1).stored() == view.submit(functions.add, 1).stored()
    with pytest.raises(Refused, match="only-once") as caught:
        view.submit(functions.add, 2).stored()
    assert caught.value.code == "idempotency_mismatch"


def test_a_future_as_an_argument_stands_for_its_result(client: Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    held = client.submit(functions.hold, str(gate))
    numbers = [client.submit(functions.add, number) for number in range(3)]
    total = client.options(after=held).submit(functions.total, [each.argument for each in numbers])
    last = client.submit(functions.echo, {"sum": total})
    assert last.task()["state"] == "scheduled"
    gate.touch()
    assert last.result(BOUND) == {"sum": 9}


def test_what_comes_after_a_refused_task_fails_with_it(client: Client) -> None:
    refused = client.submit("nowhere.nothing")
    after = client.submit(functions.echo, refused)
    assert "nowhere.nothing" in str(after.exception(BOUND))


def test_a_group_is_waited_for_and_fails_together(client: Client, tmp_path: Path) -> None:
    with client.group() as group:
        for number in range(3):
            group.submit(functions.add, number)
    assert group.results() == [2, 3, 4]
    assert client.gather(*group.futures) == [2, 3, 4]
    with pytest.raises(TypeError, match=r"gather\(\*futures\)"):
        client.gather(group.futures)  # type: ignore[arg-type]  # that is the mistake
    never = str(tmp_path / "never")
    with pytest.raises(ValueError, match="no good"), client.group() as failing:  # noqa: PT012
        running = failing.submit(functions.hold, never)
        eventually(running.running, "the first task runs")
        waiting = [failing.submit(functions.hold, never) for _ in range(3)]
        failing.submit(functions.fail, "ValueError", "no good")
    eventually(lambda: all(each.cancelled() for each in waiting), "what waited is cancelled")
    assert running.kill()


def test_a_pipeline_is_built_of_functions(client: Client) -> None:
    from pooldeck.client import ITEM  # noqa: PLC0415 - as its page shows it

    pipeline = client.pipeline("sums")
    numbers = pipeline.step(functions.count_to, 4)
    more = pipeline.options(pool="io").each(numbers, functions.add, ITEM, 10)
    also = pipeline.each([1, 2], functions.add)
    total = pipeline.step(functions.total, more)
    both = pipeline.step(functions.echo, [total, also])
    run = pipeline.submit()
    assert run[both].result(BOUND) == [46, [3, 4]]
    assert [each.result(BOUND) for each in run.futures[also.name]] == [3, 4]
    record = run.record()
    assert (record["name"], record["state"]) == ("sums", "succeeded")
    assert {step["name"]: step["pool"] for step in record["steps"]}["add"] == "io"


# Asking.


def test_tasks_are_found_their_logs_read_and_they_are_run_again(client: Client) -> None:
    future = client.options(tags=["found"]).submit(functions.talk, 3)
    task_id = future.stored()
    future.result(BOUND)
    assert [task["id"] for task in client.tasks(tag="found", limit=1)] == [task_id]
    eventually(lambda: len(list(client.logs(task_id))) == 3, "the log is there")
    assert [line["message"] for line in client.logs(task_id)] == ["line 0", "line 1", "line 2"]
    client.retry(task_id)
    assert client.future(task_id).result(BOUND) is None
    assert client.task(task_id)["attempt"] == 2
    assert client.request("GET", f"/tasks/{task_id}")["id"] == task_id
    with pytest.raises(Refused) as caught:
        client.task("01a00000-0000-7000-8000-000000000000")
    assert caught.value.code == "not_found"


def test_what_has_not_started_is_changed_and_runs_as_it_was_changed(client: Client) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    future = client.options(run_at=later).submit(functions.echo, "before")
    task_id = future.stored()
    changed = client.change(task_id, priority=7, args=[date(2026, 2, 28)], reason="it is wrong")
    assert (changed["priority"], changed["state"]) == (7, "scheduled")
    assert client.change(task_id, pool="io")["pool"] == "io"
    with pytest.raises(TypeError, match="the argument value contains object"):
        client.change(task_id, kwargs={"value": object()})
    with pytest.raises(TypeError, match="colour cannot be changed; there are priority"):
        client.change(task_id, colour="red")  # type: ignore[call-arg]  # that is the mistake
    client.change(task_id, run_at=None)
    assert future.result(BOUND) == "2026-02-28"
    with pytest.raises(Refused, match="has ended") as caught:
        client.change(task_id, delay=1.5)
    assert caught.value.code == "conflict"


def test_a_future_can_be_had_of_any_task_ended_or_not(client: Client, url: str) -> None:
    task_id = client.submit(functions.add, 1).stored()
    with Client(url) as other:
        assert other.future(task_id).result(BOUND) == 3
        assert client.future(task_id).result(BOUND) == 3


def test_functions_use_the_client_that_is_set(client: Client) -> None:
    before = use(client)
    try:
        assert default_client() is client
        assert functions.add.options(tags=["set"]).delay(1).result(BOUND) == 3
    finally:
        use(before)
    assert len(list(client.tasks(tag="set"))) == 1


def test_a_default_client_that_was_closed_is_made_anew() -> None:
    before = use(None)
    try:
        first = default_client()
        assert default_client() is first
        first.close()
        assert default_client() is not first
    finally:
        use(before)


# The end of a client.


def test_leaving_a_client_waits_until_all_is_stored_and_detaches_what_goes_on(
    url: str, client: Client, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    with Client(url) as other:
        futures = [
            other.submit(functions.note, str(tmp_path / "notes"), str(n)) for n in range(600)
        ]
        held = other.submit(functions.hold, str(gate))
    assert all(future.task_id for future in futures)
    with pytest.raises(Detached, match=str(held.task_id)):
        held.result(BOUND)
    gate.touch()
    assert client.future(str(held.task_id)).result(BOUND) == "open"
    with pytest.raises(RuntimeError, match="closed"):
        other.submit(functions.add, 1)


def test_hundreds_of_threads_submit_at_once(client: Client) -> None:
    found: list[int] = []

    def submit(number: int) -> None:
        found.append(client.submit(functions.add, number).result(BOUND))

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(BOUND)
    assert sorted(found) == [2 + number for number in range(300)]


def test_a_thousand_waiting_futures_cost_one_connection(
    client: Client, server: Served, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    before = open_connections(server)
    futures = [client.submit(functions.hold, str(gate)) for _ in range(1000)]
    assert len({future.stored(BOUND) for future in futures}) == 1000
    assert open_connections(server) - before <= 6  # that of the stream, and what batches used
    client.drop(futures[1:])
    gate.touch()
    assert futures[0].result(BOUND) == "open"
    eventually(lambda: all(each.done() for each in futures), "all have ended")


def open_connections(server: Served) -> int:
    import psutil  # noqa: PLC0415

    return sum(
        each.status == "ESTABLISHED" and each.laddr.port == server.port
        for each in psutil.Process().net_connections("tcp")
    )


def test_a_client_works_inside_a_running_event_loop(client: Client) -> None:
    async def main() -> list[int]:
        one = client.submit(functions.add, 1).result(BOUND)
        return [one, await client.submit(functions.add, 2)]

    assert asyncio.run(main()) == [3, 4]
