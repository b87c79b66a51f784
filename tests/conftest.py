"""What all tests share: the run that they are part of, and the order in which it takes them."""

import gc
import os
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.support import running, selecting
from tests.support.lanes import Lanes, place


def pytest_configure(config: pytest.Config) -> None:
    """Begin a run, or join that of the process that started this one."""
    running.hand_no_ignored_signals_on()
    if not hasattr(config, "workerinput"):
        running.end_in_good_order_when_told_to()
    running.compile_once()
    running.mark()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Read no file in vain: each process of a run reads all of them."""
    return selecting.is_read_in_vain(collection_path, config.getoption("markexpr")) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: side by side, nobody waits for a last one in the end."""
    takes_long = (item.path for item in items if item.get_closest_marker("soak"))
    if hidden := selecting.hidden(takes_long):
        raise pytest.UsageError(f"tests.support.selecting does not find what is slow in {hidden}")
    items.sort(key=lambda item: place(item.nodeid))


def pytest_collection_finish() -> None:
    """Leave what all tests share out of every search for garbage: some tests make hundreds."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run more tests at a time than there are CPUs: most of them wait much of the time.

    Those that take long by nature wait most.
    """
    waits_most = selecting.wants_only_what_takes_long(config.getoption("markexpr"))
    return (3 if waits_most else 2) * (os.cpu_count() or 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Hand tests out by lanes, whatever `--dist` says."""
    return Lanes(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Fail a run that leaves processes behind, and end them."""
    yield
    if not hasattr(session.config, "workerinput") and (left := running.end_what_is_left()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.section("processes that tests left behind", red=True)
            reporter.write_line("\n".join(left))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests as the server runs: on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what programs put into the temporary folder apart from that of others.

    Its path is short, unlike that of `tmp_path`: there are sockets in there, whose paths may have
    some hundred characters. So it is with what servers write for their user, and with profiles.
    """
    tmp_path_factory.getbasetemp()  # stays where it is, and is there after the run
    with (
        tempfile.TemporaryDirectory(prefix="t", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as environment,
    ):
        Path(folder).chmod(0o755)  # some tests look into it without the rights of this user
        environment.setenv("TMPDIR", folder)
        environment.setattr(tempfile, "tempdir", folder)
        for name in ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
            place = Path(folder) / name.lower()
            place.mkdir(mode=0o700)
            environment.setenv(name, str(place))
        yield
