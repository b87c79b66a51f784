"""`make fuzz`: SECONDS (60) and SEED come from the environment; exit code 1 if all is not well."""

import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from tests.fuzz.effort import Effort
from tests.fuzz.target import Target, fuzzed
from tests.fuzz.trials import TRIALS, complaints


def main() -> int:
    """Fuzz a server; return the exit code."""
    seconds = float(os.environ.get("SECONDS", "60"))
    seed = int(os.environ.get("SEED", str(random.SystemRandom().randrange(10**9))))
    say(f"{seconds:g} seconds, SEED={seed}")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, fuzzed(Path(folder)) as target:
        found = list(fuzz(target, seconds, seed))
    say("all holds" if not found else f"{len(found)} things do not hold")
    return 1 if found else 0


def say(line: str) -> None:
    """Print a line with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)  # noqa: T201 - a program that prints


def fuzz(target: Target, seconds: float, first: int) -> Iterator[str]:
    """Try everything with one seed after the other; yield what does not hold."""
    until = time.monotonic() + seconds
    for seed in count(first):
        for name, trial in TRIALS.items():
            if time.monotonic() > until:
                return
            say(f"{name}, SEED={seed}")
            for complaint in complaints(target, trial, Effort(trial.few, seed)):
                say(f"DOES NOT HOLD: {complaint}")
                yield complaint


if __name__ == "__main__":
    sys.exit(main())
