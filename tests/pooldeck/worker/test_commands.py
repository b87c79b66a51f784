"""Commands in a real worker of either kind: what they run, write and become, and how they end."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pooldeck.command_parameters import CommandParameter
from pooldeck.commands import Command
from pooldeck.functions import FunctionSpec, Options
from pooldeck.marks import BOOT, marked
from pooldeck.outcome import ErrorKind
from pooldeck.protocol import Cancel, Limits, Log
from tests.support.driven import DrivenWorker, Report
from tests.support.marked_processes import lives, new_boot, wait_until

FAMILY = "setsid sh -c 'trap \"\" TERM; sleep 600' & sleep 600 & echo started; "


def declared(name: str, *run: str, **more: Any) -> Command:
    """Return a command that is called `jobs.NAME`, as the driven worker's functions are."""
    return Command(run, Options(name=f"jobs.{name}"), **more)


COMMANDS = (
    declared("sh", "sh", "-c", "{script}", grace_seconds=0.3),
    declared("stubborn", "sh", "-c", "{script}", grace_seconds=2.0),
    declared("each", "sh", "-c", 'for a in "$@"; do echo "<$a>"; done', "sh", "{a}", "--", "{b}"),
    declared("cat", "cat", input="{text}"),
    declared("parsed", "sh", "-c", "{script}", result="json"),
    declared("silent", "sh", "-c", "{script}", result="none", success=(0, 3)),
    declared("where", "pwd", directory="/"),
    declared(
        "environment",
        *("sh", "-c", "env | grep -E '^(POOLDECK|MOOD|LANG|PATH)'"),  # all may be too long
        environment={"MOOD": "calm", "LANG": "C"},
    ),
    declared(
        "resize",
        "true",
        "{width}",
        "{paths}",
        "{name}",
        description="Resize.",
        parameters={
            "width": CommandParameter("integer", default=256, minimum=1, description="Pixels."),
            "paths": CommandParameter("array"),
        },
    ),
    declared("missing", "no-such-program"),
    declared("nowhere", "true", directory="/no/such/folder"),
)


@pytest.fixture(scope="module", params=["process", "thread"])
def worker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DrivenWorker]:
    folder = tmp_path_factory.mktemp("worker")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(BOOT, new_boot())
        environment.setenv("POOLDECK_OIDC__CLIENT_SECRET", "a-secret-of-the-server")
        environment.setenv("POOLDECK_TOKEN", "what-the-server-has-given-its-workers")
        limits = Limits(result_bytes=4096)
        with DrivenWorker(
            folder, "", kind=request.param, slots=4, commands=COMMANDS, limits=limits
        ) as driven:
            yield driven


def spec(worker: DrivenWorker, name: str) -> FunctionSpec:
    """Return how the worker describes a command."""
    return {found.name: found for found in worker.ready.code.functions}[f"jobs.{name}"]


def failed(report: Report) -> str:
    """Return why a command failed."""
    assert report.error.kind is ErrorKind.EXCEPTION
    assert report.error.type == "pooldeck.commands.CommandFailed"
    return report.error.message


def test_a_command_is_described_like_a_function(worker: DrivenWorker) -> None:
    described = spec(worker, "resize")

    assert described.module == "commands"
    assert described.signature == "(paths: list[str], name: str, width: int = 256)"
    assert described.doc == "Resize.\n\nRuns: true '{width}' '{paths}' '{name}'"
    assert described.schema["required"] == ["paths", "name"]
    width = described.schema["properties"]["width"]
    assert width == {"type": "integer", "minimum": 1, "default": 256, "description": "Pixels."}
    assert described.problem is None


def test_a_command_that_cannot_run_is_listed_with_the_reason(worker: DrivenWorker) -> None:
    missing, nowhere = spec(worker, "missing").problem, spec(worker, "nowhere").problem

    assert missing == 'its program "no-such-program" was not found, or may not be run'
    assert nowhere == "its directory /no/such/folder does not exist"
    assert worker.run("missing").error.kind is ErrorKind.BAD_ARGUMENTS


def test_arguments_reach_the_program_as_they_are(worker: DrivenWorker) -> None:
    values = ["two words; $(rm x) *", "-n\nline"]

    assert worker.run("each", *values).result == {
        "exit_code": 0,
        "stdout": "".join(f"<{value}>\n" for value in (values[0], "--", values[1])),
    }


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["a"], "missing a required argument: 'b'"),
        (["a", "b", "c"], "too many positional arguments"),
        (["-a", "b"], "a: it begins with a dash"),
        (["a", "b\0"], "b: it has a NUL"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(
    worker: DrivenWorker, arguments: list[str], complaint: str
) -> None:
    error = worker.run("each", *arguments).error

    assert error.kind is ErrorKind.BAD_ARGUMENTS
    assert error.message.startswith(complaint)


def test_both_streams_become_lines_of_the_log_with_their_levels(worker: DrivenWorker) -> None:
    report = worker.run("sh", "echo one; echo two >&2; printf 'bar 1%%\\rbar 2%%\\nhalf'")

    said = {(line.level, line.source, line.message) for line in report.lines}
    assert said == {
        ("INFO", "stdout", "one"),
        ("WARNING", "stderr", "two"),
        ("INFO", "stdout", "bar 2%"),
        ("INFO", "stdout", "half"),
    }


def test_lines_come_while_the_command_runs(worker: DrivenWorker, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    task = worker.submit("sh", f"echo waiting; cat {gate}")

    first = worker.hear_of(task, Log)
    gate.write_text("through\n")

    assert [line.message for line in first.lines] == ["waiting"]
    assert worker.report(task).said[-1] == ("stdout", "through")


def test_text_for_standard_input_is_read_to_its_end(worker: DrivenWorker) -> None:
    text = "ü\n" * 500
    assert worker.run("cat", text).result["stdout"] == text
    assert worker.run("sh", "cat").result["stdout"] == "", "without any it is empty"


def test_standard_output_can_be_the_result_itself(worker: DrivenWorker) -> None:
    assert worker.run("parsed", "echo '{\"a\": [1, null]}'").result == {"a": [1, None]}
    assert failed(worker.run("parsed", "echo no")).startswith("what sh wrote is no JSON")
    assert failed(worker.run("parsed", "head -c 9000 /dev/zero")) == (
        "sh wrote 9,000 bytes, and a result may have 4,096"
    )


def test_output_that_is_too_long_is_cut_and_says_so(worker: DrivenWorker) -> None:
    result = worker.run("sh", "yes | head -c 5000").result

    assert result == {"exit_code": 0, "stdout": "y\n" * 1024, "truncated": True}


def test_an_exit_code_can_be_declared_a_success(worker: DrivenWorker) -> None:
    assert worker.run("silent", "echo no; exit 3").result == {"exit_code": 3}
    assert failed(worker.run("silent", "exit 4")).startswith("sh exited with code 4")


def test_a_failure_says_how_it_ended_and_its_last_words(worker: DrivenWorker) -> None:
    script = "seq 40 >&2; echo out of luck >&2; kill -SEGV $$"

    lines = failed(worker.run("sh", script)).splitlines()

    assert lines[0] == "sh was killed by SIGSEGV:"
    assert lines[1:] == [*map(str, range(32, 41)), "out of luck"]


def test_a_command_works_in_its_directory_with_its_environment(worker: DrivenWorker) -> None:
    lines = worker.run("environment").result["stdout"].splitlines()
    variables = dict(line.partition("=")[::2] for line in lines)

    assert worker.run("where").result["stdout"] == "/\n"
    assert (variables["MOOD"], variables["LANG"]) == ("calm", "C")
    assert variables["PATH"] == os.environ["PATH"]
    own = {name for name in variables if name.startswith("POOLDECK_")}
    given = {"POOLDECK_BOOT", "POOLDECK_CALL", "POOLDECK_TOKEN"}
    assert own == given, "the server's settings are not inherited"


def test_what_a_command_leaves_in_its_group_ends_with_it(worker: DrivenWorker) -> None:
    report = worker.run("sh", "sleep 600 & echo $!")

    wait_until(lambda: not lives(int(report.result["stdout"])))


def test_a_cancelled_command_is_ended_with_all_its_children(worker: DrivenWorker) -> None:
    task = worker.submit("sh", FAMILY + "wait")
    worker.hear_of(task, Log)

    worker.control(Cancel(task))

    assert worker.report(task).outcome.cancelled
    assert _left(task) == []


def test_a_command_that_does_not_listen_is_killed(worker: DrivenWorker) -> None:
    script = "trap 'echo no' TERM; " + FAMILY + "while :; do sleep 0.01; done"
    task = worker.submit("stubborn", script)
    worker.hear_of(task, Log)

    worker.control(Cancel(task))

    report = worker.report(task)
    assert report.outcome.cancelled
    assert ("stdout", "no") in report.said, "it was asked first"
    assert _left(task) == []


def test_an_overdue_command_is_ended_and_has_timed_out(worker: DrivenWorker) -> None:
    task = worker.submit_limited(0.3, "sh", FAMILY + "wait")

    error = worker.report(task).error

    assert error.kind is ErrorKind.TIMEOUT
    assert error.cause is not None
    assert error.cause.message == "it was ended at its timeout, with all that it had started"
    assert _left(task) == []


def test_the_time_of_a_command_is_its_task_s(worker: DrivenWorker) -> None:
    measured = worker.run("sh", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done").outcome
    assert measured.measurement is not None
    assert measured.measurement.child_cpu > measured.measurement.cpu


def test_a_flood_of_output_is_bounded_and_harmless(worker: DrivenWorker) -> None:
    report = worker.run("silent", "yes | head -c 10000000")

    assert report.result == {"exit_code": 0}
    assert len(json.dumps(report.said)) < 10_000_000
    assert report.lines[-1].n == 5_000_000


def _left(task: str) -> list[int]:
    """Return the processes of a call that run."""
    return [
        pid
        for pid in marked(os.environ[BOOT])
        if f"POOLDECK_CALL={task}/" in Path(f"/proc/{pid}/environ").read_text()
    ]
