"""Which failures are said to be from outside, while the server is ending."""

import subprocess

import pytest

from pooldeck.outcome import Error, ErrorKind
from pooldeck_server.domain.failures.outside_ends import (
    is_from_outside,
    names_signal,
    told_of_outside,
)


def failure(message: str) -> Error:
    return Error(ErrorKind.EXCEPTION, "CommandFailed", message)


@pytest.mark.parametrize(
    "message",
    [
        "sleep was killed by SIGTERM and wrote nothing to standard error",
        str(subprocess.CalledProcessError(-15, "sleep")),
        str(subprocess.CalledProcessError(-1, "sleep")),
        str(subprocess.CalledProcessError(143, "sh")),
        "sh exited with code 137:\nKilled",
    ],
)
def test_a_program_that_a_signal_ended_may_have_been_ended_from_outside(message: str) -> None:
    error = failure(message)
    assert names_signal(error)
    told = told_of_outside(error).message
    assert is_from_outside(told)
    assert not is_from_outside(message)
    assert told.startswith(message)
    assert "KillMode=mixed" in told


@pytest.mark.parametrize(
    "message",
    [
        "",
        "sh exited with code 1:\nno such file",
        str(subprocess.CalledProcessError(-11, "crash")),
        "the design was refused",
        "code 1430",
    ],
)
def test_any_other_failure_is_its_own(message: str) -> None:
    assert not names_signal(failure(message))
