"""Functions of programs that have a server beside them."""

import os
from pathlib import Path

from pooldeck import task


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def where() -> list[str]:
    return [str(Path.cwd()), os.environ.get("PYTHONPATH", "")]


@task
def variables() -> list[str]:
    return sorted(name for name in os.environ if name.startswith("POOLDECK_"))


def unmarked() -> None: ...
