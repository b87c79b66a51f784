"""What a task leaves running is named in its log, and told for as long as it runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pooldeck.protocol import LeftBehind
from tests.support.driven import DrivenWorker, wait_until

LEAVERS = """
    import multiprocessing, subprocess, threading, time
    from concurrent.futures import ThreadPoolExecutor
    from multiprocessing import resource_tracker
    from pathlib import Path

    kept = []

    @task
    def starts(how, go):
        def until_told():
            while not Path(go).exists():
                time.sleep(0.01)
        if how == "thread":
            threading.Thread(target=until_told).start()
        elif how == "timer":
            threading.Timer(600, print)
            timer = threading.Timer(0, until_told)
            timer.start()
        elif how == "nested":
            outer = threading.Thread(target=lambda: threading.Thread(target=until_told).start())
            outer.start()
            outer.join()
        elif how == "many":
            for _ in range(8):
                threading.Thread(target=until_told).start()
        elif how == "daemon":
            threading.Thread(target=until_told, daemon=True, name=f"monitor-{time.time()}").start()

    @task
    def runs(how):
        if how == "subprocess":
            return subprocess.Popen(["sleep", "60"]).pid
        if how == "spawn":
            return os.posix_spawnp("sleep", ["sleep", "60"], os.environ)
        if how == "fork":
            if (pid := os.fork()) == 0:
                os.execvp("sleep", ["sleep", "60"])
            time.sleep(0.2)  # it has its own name by then
            return pid
        if how == "in a thread":
            with ThreadPoolExecutor() as executor:
                return executor.submit(runs, "subprocess").result()

    @task
    def ends(pid):
        os.kill(pid, 9)
        os.waitpid(pid, 0)

    @task
    def tidy(how):
        if how == "threads":
            threads = [threading.Thread(target=time.sleep, args=(0.01,)) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        elif how == "executor":
            with ThreadPoolExecutor() as executor:
                executor.submit(time.sleep, 0.01)
        elif how == "lost executor":
            ThreadPoolExecutor().submit(time.sleep, 0).result()
        elif how == "children":
            subprocess.run(["true"])
            os.system("true")
            for _ in range(200):
                os.waitpid(os.posix_spawnp("true", ["true"], os.environ), 0)
        elif how == "not waited for":
            subprocess.Popen(["true"])
            time.sleep(0.2)
        elif how == "tracker":
            resource_tracker.ensure_running()
        elif how == "tracker of joblib":
            code = "input()  # from joblib.externals.loky.backend.resource_tracker import main"
            kept.append(subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE))

    @task
    def plain():
        pass
"""
KINDS = pytest.mark.parametrize("kind", ["process", "thread"])


@pytest.fixture
def worker(tmp_path: Path, kind: str) -> Iterator[DrivenWorker]:
    with DrivenWorker(tmp_path, LEAVERS, kind=kind) as driven:
        yield driven


def has_told(worker: DrivenWorker, told: LeftBehind) -> bool:
    """Tell whether that is what a worker says after another call that leaves nothing."""
    assert worker.run("plain").said == []
    return worker.left_behind[-1:] == [told]


@KINDS
@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("thread", "thread Thread-1 (until_told) runs on"),
        ("timer", "thread Thread-2 (Timer) runs on"),
        ("nested", "thread Thread-2 (until_told) runs on"),
    ],
)
def test_threads_are_named_in_the_log_of_their_task_and_told_until_they_end(
    worker: DrivenWorker, tmp_path: Path, how: str, words: str
) -> None:
    task = worker.submit("starts", how, str(tmp_path / "go"))
    report = worker.report(task)
    assert [(line.level, line.source, line.message) for line in report.lines] == [
        ("WARNING", "pooldeck", f"left behind: {words}")
    ]
    (told,) = worker.left_behind
    assert list(told.threads) == [task]
    assert len(told.threads[task]) == 1
    assert has_told(worker, told)
    (tmp_path / "go").touch()
    wait_until(lambda: has_told(worker, LeftBehind({})))


@pytest.mark.parametrize("kind", ["process"])
def test_of_many_threads_a_few_are_named_and_the_others_counted(
    worker: DrivenWorker, tmp_path: Path
) -> None:
    said = [line for _, line in worker.run("starts", "many", str(tmp_path / "go")).said]
    (tmp_path / "go").touch()
    assert len(said) == 6
    assert said[-1] == "left behind: 3 more run on"


@KINDS
def test_daemon_threads_are_named_once_for_each_function(
    worker: DrivenWorker, tmp_path: Path
) -> None:
    go = str(tmp_path / "go")
    ((_, words),) = worker.run("starts", "daemon", go).said
    assert words.startswith("left behind: thread monitor-")
    assert worker.run("starts", "daemon", go).said == []
    assert len(worker.left_behind[-1].threads) == 2
    (tmp_path / "go").touch()


@KINDS
@pytest.mark.parametrize("how", ["subprocess", "spawn", "fork", "in a thread"])
def test_children_are_named_in_the_log_of_their_task_and_told_until_they_end(
    worker: DrivenWorker, how: str
) -> None:
    task = worker.submit("runs", how)
    report = worker.report(task)
    child = report.result
    assert report.said == [("pooldeck", f"left behind: child process {child} (sleep 60) runs on")]
    assert worker.left_behind == [LeftBehind({task: []})]
    assert has_told(worker, LeftBehind({task: []}))
    worker.run("ends", child)
    assert has_told(worker, LeftBehind({}))


@KINDS
@pytest.mark.parametrize(
    "how",
    [
        "threads",
        "executor",
        "lost executor",
        "children",
        "not waited for",
        "tracker",
        "tracker of joblib",
    ],
)
def test_a_task_that_leaves_nothing_running_is_told_nothing(worker: DrivenWorker, how: str) -> None:
    assert worker.run("tidy", how).lines == []
    assert worker.left_behind == []
