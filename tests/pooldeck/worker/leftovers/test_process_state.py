"""A worker protects itself, and the next task, from what a task does to the process."""

import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from pooldeck.protocol import LeftBehind, Returned
from pooldeck.worker.descriptors import lift
from tests.support.driven import DrivenWorker


def test_a_task_that_closes_descriptors_does_not_break_the_pipe(tmp_path: Path) -> None:
    source = """
        @task
        def tidy_up():
            os.closerange(0, 1000)
        @task
        def speak():
            os.system("echo still here")
    """
    with DrivenWorker(tmp_path, source) as worker:
        worker.run("tidy_up")
        assert worker.run("speak").said == [("output", "still here")]


@pytest.mark.parametrize("kind", ["process", "thread"])
def test_a_worker_that_lost_all_its_descriptors_ends_instead_of_hanging(
    tmp_path: Path, kind: str
) -> None:
    source = """
        import threading
        @task
        def wreck():
            threading.Thread(target=threading.Event().wait).start()
            os.closerange(0, 100_000)
    """
    with DrivenWorker(tmp_path, source, kind=kind) as worker:
        worker.submit("wreck")
        worker.process.wait(30)


def test_descriptors_are_lifted_as_high_as_the_limit_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        lifted = lift(os.open(os.devnull, os.O_RDONLY))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert 200 < lifted < 256
    assert not os.get_inheritable(lifted)
    os.close(lifted)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be told whom to take first")
def test_the_kernel_takes_a_worker_before_the_server(tmp_path: Path) -> None:
    source = """
        @task
        def score():
            return int(open("/proc/self/oom_score_adj").read())
    """
    with DrivenWorker(tmp_path, source) as worker:
        assert worker.run("score").result == 500


LEAVES_BEHIND = """
    import faulthandler, resource, signal, subprocess, tempfile, time
    @task
    def leave(what):
        exec(what, globals())
    @task
    def find():
        time.sleep(0.3)  # for an alarm that is left
        code = subprocess.run(["sh", "-c", "exit 3"]).returncode
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        mask = os.umask(0)
        os.umask(mask)
        return {
            "child": code,
            "environment": [os.environ.get("LEFT"), "HOME" in os.environ],
            "SIGTERM is blocked": signal.SIGTERM in blocked,
            "folder": os.getcwd(),
            "umask": mask,
            "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            "memory": resource.getrlimit(resource.RLIMIT_AS)[0],
            "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
            "CPUs": len(os.sched_getaffinity(0)),
            "policy": os.sched_getscheduler(0),
            "input": [sys.stdin.read(), os.read(0, 1).decode()],
            "hour": time.localtime(0).tm_hour,
        }
    @task
    def speak():
        print("to Python's stream")
        os.system("echo to the descriptor")
"""


@pytest.mark.parametrize(
    "what",
    [
        "os.environ['LEFT'] = 'customer-a'",
        "del os.environ['HOME']",
        "os.environ['TZ'] = 'XXX-5'; time.tzset()",
        "os.environ['TZ'] = 'XXX-5'; time.tzset(); del os.environ['TZ']",
        "os.environ = {'LEFT': 'customer-a'}",
        "os.environ.clear()",
        "signal.alarm(1)",
        "signal.setitimer(signal.ITIMER_REAL, 0.2)",
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})",
        "signal.signal(signal.SIGALRM, print); signal.setitimer(signal.ITIMER_REAL, 0.2)",
        "import ctypes; ctypes.CDLL(None).ualarm(200_000, 0)",
        "faulthandler.dump_traceback_later(0.2, exit=True)",
        "os.chdir('/'); os.umask(0o777)",
        "gone = tempfile.mkdtemp(); os.chdir(gone); os.rmdir(gone)",
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(7)[1]))",
        "resource.setrlimit(resource.RLIMIT_NOFILE, (0, resource.getrlimit(7)[1]))",
        "resource.prlimit(0, resource.RLIMIT_AS, (1 << 34, -1))",
        "from resource import *; setrlimit(RLIMIT_CORE, (0, getrlimit(RLIMIT_CORE)[1]))",
        "os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])",
        "os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))",
        "os.closerange(0, 3)",
        "exit()",
        "sys.stdin = open('/dev/zero')",
        "sys.stdout = sys.stderr = None",
    ],
)
def test_a_task_finds_its_process_as_it_was_at_the_start(tmp_path: Path, what: str) -> None:
    with DrivenWorker(tmp_path, LEAVES_BEHIND) as worker:
        before = worker.run("find").result
        report = worker.run("leave", what)
        assert report.outcome.error is None
        assert report.lines == []
        assert worker.run("find").result == before
        assert worker.run("speak").said == [
            ("stdout", "to Python's stream"),
            ("output", "to the descriptor"),
        ]
    assert before["child"] == 3
    assert before["folder"] == str(tmp_path)
    assert before["environment"] == [None, True]


@pytest.mark.parametrize("timer", ["ITIMER_VIRTUAL", "ITIMER_PROF"])
def test_a_timer_that_is_left_does_not_end_the_next_task(tmp_path: Path, timer: str) -> None:
    source = """
        import signal, time
        @task
        def leave(timer):
            signal.setitimer(getattr(signal, timer), 0.05)
        @task
        def compute():
            until = time.process_time() + 0.15
            while time.process_time() < until:
                pass
            return "done"
    """
    with DrivenWorker(tmp_path, source) as worker:
        worker.run("leave", timer)
        assert worker.run("compute").result == "done"


def test_an_alarm_that_is_left_does_not_ring_while_the_result_is_encoded(tmp_path: Path) -> None:
    source = """
        import collections.abc, signal, time
        class Slow(collections.abc.Mapping):
            def __getitem__(self, key):
                return 1
            def __iter__(self):
                time.sleep(0.3)
                yield "key"
            def __len__(self):
                return 1
        rung = []
        @task
        def rings():
            signal.signal(signal.SIGALRM, lambda number, _: rung.append(number))
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            return Slow()
        @task
        def has_rung():
            return rung
    """
    with DrivenWorker(tmp_path, source) as worker:
        assert worker.run("rings").result == {"key": 1}
        assert worker.run("has_rung").result == []


LAZY = """
    os.environ["SET_AT_IMPORT"] = "1"
    @task
    def set_up():
        os.environ["SETTINGS"] = "shop.settings"
    @task
    def environment():
        return [os.environ.get(name) for name in ("SET_AT_IMPORT", "SET_AT_START", "SETTINGS")]
    def start():
        os.environ["SET_AT_START"] = "1"
"""


@pytest.mark.parametrize(("restores", "found"), [(True, None), (False, "shop.settings")])
def test_the_environment_is_put_back_to_what_the_initializer_left_unless_it_is_not_to_be(
    tmp_path: Path, found: str | None, *, restores: bool
) -> None:
    options = {"initializer": "jobs.start", "restores_environment": restores}
    with DrivenWorker(tmp_path, LAZY, **options) as worker:  # type: ignore[arg-type]  # of each kind
        worker.run("set_up")
        assert worker.run("environment").result == ["1", "1", found]


@pytest.mark.parametrize("what", ["faulthandler.disable()", "faulthandler.enable()"])
def test_a_crash_is_reported_whatever_an_earlier_task_made_of_it(tmp_path: Path, what: str) -> None:
    with DrivenWorker(tmp_path, LEAVES_BEHIND) as worker:
        worker.run("leave", what)
        worker.submit("leave", "faulthandler._sigsegv()")
        assert worker.process.wait(30) == -signal.SIGSEGV
        assert "in leave" in worker.fault.read_text()


def test_an_environment_of_the_users_own_making_stays(tmp_path: Path) -> None:
    source = """
        os.environ = {"OWN": "1"}
        @task
        def own():
            os.environ["MORE"] = "2"
            return os.environ
    """
    with DrivenWorker(tmp_path, source) as worker:
        assert worker.run("own").result == worker.run("own").result == {"OWN": "1", "MORE": "2"}


def test_a_priority_that_cannot_be_raised_again_is_said_and_spoils_the_worker_for_others(
    tmp_path: Path,
) -> None:
    source = """
        @task
        def yields_the_cpu():
            if os.getuid() == 0:
                os.setuid(65534)  # who has the right to raise it has it no more
            os.nice(3)
        @task
        def plain():
            pass
    """
    with DrivenWorker(tmp_path, source) as worker:
        ((_, words),) = worker.run("yields_the_cpu").said
        behind = worker.submit("plain")
        assert worker.hear() == Returned([behind])
    assert words.startswith("left behind: the priority (nice ")
    assert worker.left_behind == [LeftBehind({}, is_spoilt=True)]


def test_a_child_of_a_task_does_not_hold_the_pipe_open(tmp_path: Path) -> None:
    source = """
        import subprocess
        @task
        def start_child():
            return subprocess.Popen(["sleep", "60"]).pid
        @task
        def fork():
            pid = os.fork()
            if pid == 0:
                os.execvp("sleep", ["sleep", "60"])
            return pid
    """
    with DrivenWorker(tmp_path, source) as worker:
        children = [worker.run(function).result for function in ("start_child", "fork")]
        worker.stop()
        try:
            with pytest.raises(StopIteration):
                worker.hear()
        finally:
            for child in children:
                os.kill(child, signal.SIGKILL)


def test_an_interrupt_from_the_keyboard_does_not_reach_a_task(tmp_path: Path) -> None:
    source = """
        import signal
        @task
        def interrupted():
            signal.raise_signal(signal.SIGINT)
            return "still here"
    """
    with DrivenWorker(tmp_path, source) as worker:
        assert worker.run("interrupted").result == "still here"


def test_standard_input_is_empty(tmp_path: Path) -> None:
    source = """
        @task
        def read():
            return sys.stdin.read()
    """
    with DrivenWorker(tmp_path, source) as worker:
        assert worker.run("read").result == ""


def test_a_segfault_leaves_its_traceback_in_the_fault_file(tmp_path: Path) -> None:
    source = """
        import faulthandler
        @task
        def crash():
            faulthandler._sigsegv()
    """
    with DrivenWorker(tmp_path, source) as worker:
        worker.submit("crash")
        assert worker.process.wait(30) == -signal.SIGSEGV
        assert "in crash" in worker.fault.read_text()


def test_exceptions_are_not_kept_alive(tmp_path: Path) -> None:
    source = """
        import weakref, gc
        gc.disable()
        class Big: ...
        refs = []
        @task
        def fail():
            big = Big()
            refs.append(weakref.ref(big))
            raise ValueError(big)
        @task
        def alive():
            return [ref() is not None for ref in refs]
    """
    with DrivenWorker(tmp_path, source) as worker:
        worker.run("fail")
        assert worker.run("alive").result == [False]
