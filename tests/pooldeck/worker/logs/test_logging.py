"""What a task does to logging ends with it; what it logs is taken once, by the levels that hold."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pooldeck.protocol import Abandon, Abandoned, Started
from tests.support.driven import DrivenWorker

SOURCE = """
    import contextlib, io, logging, logging.config, threading, time
    log = logging.getLogger("acme.jobs")
    quiet = logging.getLogger("acme.quiet")

    class Filter(logging.Filter):
        def filter(self, record):
            return False

    class Speaking(logging.Handler):
        def emit(self, record):
            print("handler:", record.getMessage())

    class Breaking(logging.Handler):
        def emit(self, record):
            try:
                raise KeyError("broken")
            except KeyError:
                self.handleError(record)

    class Loud(logging.Logger):
        def callHandlers(self, record):
            raise RuntimeError

    def replace_streams():
        sys.stdout = io.StringIO()
        sys.stderr = open(os.devnull, "w")

    def leave_redirect():
        contextlib.redirect_stdout(io.StringIO()).__enter__()

    def close_streams():
        sys.stdout.close()
        sys.stderr.close()
        io.TextIOWrapper(sys.stdout.detach()).close()

    def silence(logger):
        logger.propagate = False
        logger.setLevel(logging.CRITICAL)
        logger.disabled = True

    ROOT = {"version": 1, "root": {"level": "WARNING", "handlers": []}}
    WAYS = {
        "dictConfig": lambda: logging.config.dictConfig(ROOT),
        "disable": lambda: logging.disable(logging.CRITICAL),
        "basicConfig force": lambda: logging.basicConfig(level=logging.ERROR, force=True),
        "basicConfig": lambda: logging.basicConfig(level=logging.ERROR),
        "clear": lambda: logging.getLogger().handlers.clear(),
        "shutdown": logging.shutdown,
        "level of the root": lambda: logging.getLogger().setLevel(logging.ERROR),
        "level": lambda: log.setLevel(logging.ERROR),
        "silence": lambda: silence(log),
        "filter": lambda: log.addFilter(Filter()),
        "filter of the root": lambda: logging.getLogger().addFilter(Filter()),
        "handler": lambda: log.addHandler(Speaking()),
        "handler of the root": lambda: logging.getLogger().addHandler(Speaking()),
        "class": lambda: logging.setLoggerClass(Loud),
        "factory": lambda: logging.setLogRecordFactory(lambda *a, **k: None),
        "close streams": close_streams,
        "replace streams": replace_streams,
        "leave a redirect": leave_redirect,
        "level name": lambda: logging.addLevelName(logging.INFO, "\x1b[32mINFO\x1b[0m"),
        "descriptors": lambda: os.close(1),
        "hooks": lambda: setattr(threading, "excepthook", lambda _: None),
    }

    @task
    def sets_up(way):
        WAYS[way]()

    @task
    def words():
        log.debug("detail")
        log.info("information")
        logging.getLogger("acme.late").warning("warning")
        print("printed")
        return len(logging.getLogger().handlers) + len(log.handlers)

    @task
    def breaks():
        os.write(1, b"by descriptor\\n")
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()

    @task
    def sleeps(path):
        while not os.path.exists(path):
            time.sleep(0.001)

    @task
    def redirects(path):
        with contextlib.redirect_stdout(io.StringIO()) as heard:
            print("before", end=" ")
            sleeps(path)
            print("after", end="")
        return heard.getvalue()

    @task
    def handles(kind):
        handler = {
            "stream": logging.StreamHandler, "speaking": Speaking, "breaking": Breaking,
            "stdout": lambda: logging.StreamHandler(sys.stdout),
        }[kind]()
        quiet.propagate = False
        quiet.addHandler(handler)
        quiet.warning("once")
        logging.getLogger().addHandler(handler)
        log.warning("twice")

    @task
    def misfit():
        log.info("%d items", "three")
        log.warning("after")
"""


@pytest.fixture(scope="module", params=["process", "thread"])
def worker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DrivenWorker]:
    folder = tmp_path_factory.mktemp(request.param)
    with DrivenWorker(folder, SOURCE, kind=request.param, slots=2) as worker:
        yield worker


WORDS = [("acme.jobs", "information"), ("acme.late", "warning"), ("stdout", "printed")]
WAYS = [
    "dictConfig",
    "disable",
    "basicConfig force",
    "basicConfig",
    "clear",
    "shutdown",
    "level of the root",
    "level",
    "silence",
    "filter",
    "filter of the root",
    "handler",
    "handler of the root",
    "class",
    "factory",
    "close streams",
    "replace streams",
    "leave a redirect",
]


@pytest.mark.parametrize("way", WAYS)
def test_what_one_task_does_to_logging_does_not_silence_the_next(
    worker: DrivenWorker, way: str
) -> None:
    worker.run("sets_up", way)
    report = worker.run("words")
    assert report.said == WORDS
    assert report.result == 0, "it finds no handlers of the other's"


@pytest.mark.parametrize("way", ["descriptors", "hooks"])
def test_what_one_task_does_to_descriptors_and_hooks_does_not_silence_the_next(
    worker: DrivenWorker, way: str
) -> None:
    worker.run("sets_up", way)
    said = worker.run("breaks").said
    assert ("output", "by descriptor") in said
    assert ("stderr", "ZeroDivisionError: division by zero") in said


def test_levels_have_their_usual_names_whatever_a_task_calls_them(worker: DrivenWorker) -> None:
    worker.run("sets_up", "level name")
    assert [line.level for line in worker.run("words").lines] == ["INFO", "WARNING", "INFO"]


def test_streams_are_put_back_when_none_runs_that_may_have_replaced_them(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, SOURCE, kind="thread", slots=3) as worker:
        company = worker.submit("sleeps", "first")
        worker.hear_of(company, Started)
        worker.run("sets_up", "replace streams")
        for turn in ("second", "third"):  # there is a call beside at any moment
            other = worker.submit("sleeps", turn)
            worker.hear_of(other, Started)
            (tmp_path / ("first" if turn == "second" else "second")).touch()
            worker.report(company)
            company = other
        assert worker.run("words").said == WORDS
        (tmp_path / "third").touch()
        worker.report(company)


def test_an_abandoned_call_does_not_keep_the_streams_that_another_has_put_in_place(
    tmp_path: Path,
) -> None:
    with DrivenWorker(tmp_path, SOURCE, kind="thread", slots=2) as worker:
        left = worker.submit("sleeps", "never")
        worker.hear_of(left, Started)
        worker.control(Abandon(left))
        worker.hear_of(left, Abandoned)
        worker.run("sets_up", "replace streams")
        assert worker.run("words").said == WORDS


def test_a_redirect_holds_while_other_calls_begin_and_end(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, SOURCE, kind="thread", slots=2) as worker:
        task = worker.submit("redirects", "go")
        worker.hear_of(task, Started)
        worker.run("sets_up", "level")
        (tmp_path / "go").touch()
        assert worker.report(task).result == "before after"


@pytest.mark.parametrize("kind", ["stream", "stdout", "speaking"])
def test_what_the_users_handlers_write_to_the_streams_is_no_second_line(
    worker: DrivenWorker, kind: str
) -> None:
    assert worker.run("handles", kind).said == [("acme.quiet", "once"), ("acme.jobs", "twice")]


def test_what_a_handler_says_of_its_own_failure_is_heard(worker: DrivenWorker) -> None:
    said = worker.run("handles", "breaking").said
    assert said.count(("stderr", "--- Logging error ---")) == 2
    assert said[0] == ("acme.quiet", "once")


def test_a_record_that_cannot_be_formatted_is_kept_as_it_is(worker: DrivenWorker) -> None:
    first, second = worker.run("misfit").lines
    assert first.message.startswith("%d items (it cannot be formatted: TypeError: ")
    assert (first.level, second.message) == ("INFO", "after")


@pytest.mark.parametrize(
    "set_up",
    [
        "logging.basicConfig(level=logging.DEBUG)",
        "logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)",
        "logging.getLogger().setLevel(logging.DEBUG)",
        """logging.config.dictConfig({"version": 1, "root": {"level": "DEBUG", "handlers": ["h"]},
            "handlers": {"h": {"class": "logging.StreamHandler"}}})""",
    ],
)
def test_levels_that_are_set_at_import_hold(tmp_path: Path, set_up: str) -> None:
    source = f"""
        import logging, logging.config
        {set_up}
        log = logging.getLogger("acme")
        @task
        def words():
            log.debug("detail")
            log.info("information")
            log.warning("warning")
    """
    with DrivenWorker(tmp_path, source) as worker:
        for _ in range(2):
            lines = worker.run("words").lines
            assert [(line.level, line.source, line.message) for line in lines] == [
                ("DEBUG", "acme", "detail"),
                ("INFO", "acme", "information"),
                ("WARNING", "acme", "warning"),
            ]


def test_a_level_that_the_initializer_sets_holds(tmp_path: Path) -> None:
    source = """
        import logging
        def prepare():
            logging.basicConfig(level=logging.ERROR)
        @task
        def words():
            logging.warning("not this")
            logging.error("but this")
    """
    with DrivenWorker(tmp_path, source, initializer="jobs.prepare") as worker:
        assert worker.run("words").said == [("root", "but this")]


def test_the_users_other_handlers_get_their_records(tmp_path: Path) -> None:
    source = """
        import logging
        logging.basicConfig(filename="app.log", level=logging.INFO, format="%(name)s %(message)s")
        @task
        def words():
            logging.getLogger("acme").info("to both")
    """
    with DrivenWorker(tmp_path, source) as worker:
        assert worker.run("words").said == [("acme", "to both")]
    assert (tmp_path / "app.log").read_text() == "acme to both\n"
