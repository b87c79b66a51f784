"""Threads and executors that a task uses are the task's: their words, its cancellation, no more."""

from collections.abc import Iterator

import pytest

from pooldeck.protocol import Cancel
from tests.support.driven import DrivenWorker

SOURCE = """
    import _thread, concurrent.futures, contextvars, logging, multiprocessing.pool, threading, time
    from pooldeck.worker.logs.inheritance import threads_of

    THEIRS = contextvars.ContextVar("theirs", default="nothing")
    EXECUTOR = concurrent.futures.ThreadPoolExecutor(1)
    POOL = multiprocessing.pool.ThreadPool(1)
    EXECUTOR.submit(time.sleep, 0).result()
    _left = threading.Event()

    def words():
        print("asked")
        logging.getLogger("lib").warning("late")
        current_task().progress(0.5, "half")

    class Helper(threading.Thread):
        def run(self):
            words()

    def through(helper):
        helper.start()
        helper.join()

    def bare():
        done = threading.Event()
        _thread.start_new_thread(lambda: (words(), done.set()), ())
        done.wait()

    def nested():
        through(threading.Thread(target=lambda: through(Helper())))

    def when_done():
        done, speaking = threading.Event(), threading.Event()
        future = EXECUTOR.submit(speaking.wait)
        future.add_done_callback(lambda _: (words(), done.set()))
        speaking.set()
        done.wait()

    def when_pool_is_done():
        done = threading.Event()
        POOL.apply_async(int, callback=lambda _: (words(), done.set()))
        done.wait()

    WAYS = {
        "callback of a future": when_done,
        "callback of a pool": when_pool_is_done,
        "thread": lambda: through(threading.Thread(target=words)),
        "subclass": lambda: through(Helper()),
        "timer": lambda: through(threading.Timer(0, words)),
        "nested": nested,
        "bare": bare,
        "executor of the module": lambda: EXECUTOR.submit(words).result(),
        "executor of its own": lambda: list(
            concurrent.futures.ThreadPoolExecutor(1).map(lambda _: words(), [0])
        ),
        "pool of the module": lambda: POOL.apply(words),
        "pool map of the module": lambda: POOL.map(lambda _: words(), [0]),
        "pool of its own": lambda: multiprocessing.pool.ThreadPool(1).starmap(words, [()]),
    }

    @task
    def shares_out(way):
        WAYS[way]()

    @task
    def helper_breaks(hook=False):
        if hook:
            threading.excepthook = lambda args: print("hook:", args.exc_type.__name__)
        try:
            through(threading.Thread(target=lambda: 1 / 0))
        finally:
            threading.excepthook = threading.__excepthook__

    @task
    def theirs_in_a_helper():
        THEIRS.set("something")
        found = []
        through(threading.Thread(target=lambda: found.append(THEIRS.get())))
        return [*found, EXECUTOR.submit(THEIRS.get).result()]

    @task
    def helper_is_asked():
        def wait():
            print("waiting")
            while not current_task().cancelled:
                time.sleep(0.01)
        through(threading.Thread(target=wait))

    @task
    def whose_is_the_executor():
        return [EXECUTOR.submit(lambda: current_task().id).result(), current_task().id]

    @task
    def leaves():
        started = [threading.Thread(target=_left.wait, daemon=True) for _ in range(2)]
        for thread in (*started, threading.Thread(target=print)):
            thread.start()
        thread.join()
        left = threads_of(current_task())
        return [len(left), set(left) == set(started)]

    @task
    def future_fails():
        future = EXECUTOR.submit(lambda: 1 / 0)
        return type(future.exception()).__name__
"""


@pytest.fixture(scope="module", params=["process", "thread"])
def worker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DrivenWorker]:
    folder = tmp_path_factory.mktemp(request.param)
    with DrivenWorker(folder, SOURCE, kind=request.param, slots=2) as worker:
        yield worker


@pytest.mark.parametrize(
    "way",
    [
        "thread",
        "subclass",
        "timer",
        "nested",
        "bare",
        "executor of the module",
        "executor of its own",
        "pool of the module",
        "pool map of the module",
        "pool of its own",
        "callback of a future",
        "callback of a pool",
    ],
)
def test_what_a_helper_says_is_its_tasks(worker: DrivenWorker, way: str) -> None:
    report = worker.run("shares_out", way)
    said = [line for line in report.lines if line.source != "pooldeck"]  # that a thread stays
    assert [(line.level, line.source, line.message) for line in said] == [
        ("INFO", "stdout", "asked"),
        ("WARNING", "lib", "late"),
    ]
    assert [progress.fraction for progress in report.progress] == [0.5]


def test_the_traceback_of_a_broken_helper_is_in_the_log(worker: DrivenWorker) -> None:
    said = worker.run("helper_breaks").said
    assert said[-1] == ("stderr", "ZeroDivisionError: division by zero")
    assert worker.run("helper_breaks", True).said == [("stdout", "hook: ZeroDivisionError")]


def test_a_helper_inherits_nothing_else_of_the_context(worker: DrivenWorker) -> None:
    assert worker.run("theirs_in_a_helper").result == ["nothing", "nothing"]


def test_a_helper_sees_that_its_task_is_cancelled(worker: DrivenWorker) -> None:
    task = worker.submit("helper_is_asked")
    worker.hear()
    worker.control(Cancel(task))
    assert worker.report(task).said == [("stdout", "waiting")]


def test_work_of_an_executor_belongs_to_who_submitted_it(worker: DrivenWorker) -> None:
    for _ in range(2):
        submitted, own = worker.run("whose_is_the_executor").result
        assert submitted == own


def test_the_threads_that_a_task_leaves_are_known(worker: DrivenWorker) -> None:
    assert worker.run("leaves").result == [2, True]


def test_a_future_keeps_its_exception(worker: DrivenWorker) -> None:
    assert worker.run("future_fails").result == "ZeroDivisionError"
