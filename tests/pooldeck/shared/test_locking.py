"""Locks, semaphores and rate limiters by name, between the threads of one process."""

import itertools
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from pooldeck import shared
from pooldeck.access import SharedLimits
from pooldeck.context import CurrentTask, current_task, enter
from pooldeck.shared.rate_state import RateLimiterState
from pooldeck.shared.state import State
from pooldeck.shared.values_state import Budget

_names = (f"lock {number}" for number in itertools.count())
_BOUND = 120.0


@pytest.fixture
def name() -> str:
    """Return a name that no other test has."""
    return next(_names)


def _in_a_thread(call: Callable[[], object]) -> list[object]:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join(_BOUND)
    return found


def test_one_thread_at_a_time_holds_a_lock(name: str) -> None:
    inside, most = 0, 0

    def enter_and_leave() -> None:
        nonlocal inside, most
        for _ in range(50):
            with shared.lock(name, timeout=_BOUND):
                inside += 1
                most = max(most, inside)
                time.sleep(0)
                inside -= 1

    threads = [threading.Thread(target=enter_and_leave) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_lock_that_is_not_free_in_time_is_not_taken(name: str) -> None:
    lock = shared.lock(name)
    with lock:
        assert _in_a_thread(lambda: shared.lock(name).acquire(timeout=0.05)) == [False]
        assert _in_a_thread(lambda: shared.lock(name).acquire(timeout=0)) == [False]
        with pytest.raises(TimeoutError, match=r"was not free within 0.01 seconds"):
            _raised(lambda: shared.lock(name, timeout=0.01).__enter__())
    assert _in_a_thread(lambda: shared.lock(name).acquire(timeout=_BOUND)) == [True]


def _raised(call: Callable[[], object]) -> None:
    """Run a call in a thread, and raise here what it raises there."""
    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    _in_a_thread(guarded)
    raise errors[0]


def test_who_holds_a_lock_cannot_wait_for_himself(name: str) -> None:
    with (
        shared.lock(name) as lock,
        pytest.raises(shared.NotHeldError, match="would wait for itself"),
    ):
        lock.acquire()


def test_only_the_thread_that_holds_a_lock_can_release_it(name: str) -> None:
    with shared.lock(name) as lock:
        with pytest.raises(shared.NotHeldError):
            _raised(lock.release)
        with pytest.raises(shared.NotHeldError, match="in use"):
            lock.delete()
    with pytest.raises(shared.NotHeldError):
        lock.release()
    assert lock.delete()


def test_a_semaphore_lets_so_many_in_as_was_said_last(name: str) -> None:
    one, two = shared.semaphore(name, 2), shared.semaphore(name, 2)
    with one, two:
        assert _in_a_thread(lambda: shared.semaphore(name, 2).acquire(timeout=0)) == [False]
        assert _in_a_thread(lambda: shared.semaphore(name, 3).acquire(timeout=0)) == [True]
    with pytest.raises(ValueError, match="at least one permit"):
        shared.semaphore(name, 0)


def test_those_who_wait_are_served_in_the_order_of_asking() -> None:
    state = State(SharedLimits())
    served: list[str] = []
    holder = ("w", 1, "t", "task", "f")
    assert state.acquire("lock", "l", {}, holder, None)

    def queue_up(name: str) -> None:
        if state.acquire("lock", "l", {}, (name, *holder[1:]), _BOUND):
            served.append(name)
            state.call("lock", "l", {}, "release", [])

    threads = []
    for name in "abcd":
        threads.append(threading.Thread(target=queue_up, args=(name,)))
        threads[-1].start()
        _until(partial(_has_waiters, state, len(threads)))
    state.call("lock", "l", {}, "release", [])
    for thread in threads:
        thread.join(_BOUND)

    assert served == list("abcd")


def _has_waiters(state: State, number: int) -> bool:
    return len(state.snapshot()["entries"][0]["waiters"]) == number


def _until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + _BOUND
    while not is_so():
        assert time.monotonic() < until, "it did not come to be"
        time.sleep(0.005)


def test_the_end_of_a_worker_frees_its_locks_and_its_places_in_line() -> None:
    state = State(SharedLimits())
    assert state.acquire("lock", "l", {}, ("dead", 1, "t", "task", "f"), None)
    waiting = [
        threading.Thread(target=state.acquire, args=("lock", "l", {}, (name, 1, "t", "", ""), None))
        for name in ("dead", "alive")
    ]
    for number, thread in enumerate(waiting, 1):
        thread.start()
        _until(partial(_has_waiters, state, number))

    state.release_worker("dead")

    for thread in waiting:
        thread.join(_BOUND)
    (lock,) = state.snapshot()["entries"]
    assert [holder[0] for holder, _ in lock["holders"]] == ["alive"]
    assert lock["waiters"] == ()


def test_a_task_that_ends_without_giving_back_its_lock_loses_it_and_is_told(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    def forgetful() -> None:
        shared.lock(f"{name} before").acquire()  # by an initializer, which keeps it
        reporter = current_task().reporter
        enter(CurrentTask(reporter, id="1", attempt=1, function="f", pool="p", worker="w"))
        shared.lock(name).acquire()
        shared.lock(f"{name} too").acquire()
        current_task().end()

    _in_a_thread(forgetful)
    assert shared.lock(name).acquire(timeout=0)
    assert f"without giving back Lock '{name}'" in caplog.text
    assert not shared.lock(f"{name} before").acquire(timeout=0)
    shared.lock(name).release()


def _limiter(per_second: float, burst: int) -> RateLimiterState:
    state = RateLimiterState(Budget(0))
    state.configure({"per_second": per_second, "burst": burst})
    return state


def test_turns_come_one_after_the_other_after_a_burst() -> None:
    limiter = _limiter(per_second=0.1, burst=3)
    waits = [limiter.reserve(1, None)[1] for _ in range(5)]
    assert waits[:3] == [0, 0, 0]
    assert waits[3:] == pytest.approx([10, 20], abs=1)


def test_a_turn_that_comes_too_late_is_not_taken() -> None:
    limiter = _limiter(per_second=0.1, burst=1)
    limiter.reserve(1, None)
    is_taken, wait = limiter.reserve(1, 5)
    assert not is_taken
    assert wait == pytest.approx(10, abs=1)
    is_taken, wait = limiter.reserve(2, None)
    assert is_taken
    assert wait == pytest.approx(20, abs=1)


def test_a_pause_holds_up_everybody() -> None:
    limiter = _limiter(per_second=100, burst=50)
    limiter.pause(30)
    assert limiter.reserve(1, None)[1] == pytest.approx(30, abs=1)


def test_a_rate_limiter_keeps_its_rate(name: str) -> None:
    limiter = shared.rate_limiter(name, per_second=100, burst=5)
    begun = time.monotonic()
    for _ in range(25):
        assert limiter.acquire()
    assert 0.19 < time.monotonic() - begun < 5
    limiter.pause(1000)
    assert limiter.acquire(timeout=1) is False


@pytest.mark.parametrize(("per_second", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_rate_limiter_without_turns_is_refused(per_second: float, burst: int) -> None:
    with pytest.raises(ValueError, match="above 0"):
        shared.rate_limiter("none", per_second=per_second, burst=burst)
