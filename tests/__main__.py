"""`python -m tests`: pytest with the same arguments, and what failed once more, alone.

Tests start servers and workers and run side by side, so that on a busy machine one may see what no
user would. CPython's own suite does the same with `--rerun`: what fails each of its tries, in a
process of its own, has failed. What did not is named at the end, to be mended all the same.
"""

import subprocess
import sys
from collections.abc import Sequence
from typing import Final

import pytest

_MOST: Final = 10
"""Failures that may come from neighbours; more than these come from the code."""

_TRIES: Final = 2
"""How often a test may fail alone: the machine has other guests, too."""


class Failures:
    """A plugin of pytest that keeps what failed, in whichever process it ran."""

    def __init__(self) -> None:
        self.found: dict[str, None] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.found[report.nodeid] = None


def main(arguments: Sequence[str]) -> int:
    """Run the tests; return the exit code of pytest, 0 where what failed passed alone."""
    failures = Failures()
    code = int(pytest.main([*arguments], plugins=[failures]))
    failed = list(failures.found)
    if code != pytest.ExitCode.TESTS_FAILED or not 0 < len(failed) <= _MOST:
        return code
    _say("failed side by side, now one by one:", failed)
    beaten = [test for test in failed if not _passes_alone(test)]
    if beaten:
        _say("failed alone as well:", beaten)
        return code
    _say("passed one by one; to be mended all the same, since it heeds its neighbours:", failed)
    return int(pytest.ExitCode.OK)


def _passes_alone(test: str) -> bool:
    command = [sys.executable, "-m", "pytest", test]
    return any(subprocess.run(command, check=False).returncode == 0 for _ in range(_TRIES))


def _say(what: str, tests: Sequence[str]) -> None:
    print(f"\n{what}", *tests, sep="\n  ", flush=True)  # noqa: T201  (it speaks to people)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
