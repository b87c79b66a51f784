"""Which files of tests a run has to read: `make test-all` wants what is in one of ten."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

_WORDS: Final = ("soak", "LOOKS")  # the marker, and what marks with it in several files


def wants_only_what_takes_long(expression: str) -> bool:
    """Tell whether `-m expression` selects nothing but tests that take long by nature."""
    return expression == "soak" or expression.startswith("soak and ")


def is_read_in_vain(path: Path, expression: str) -> bool:
    """Tell whether a file of tests has nothing of what `-m expression` selects."""
    is_of_tests = path.name.startswith("test_") and path.suffix == ".py"
    return is_of_tests and wants_only_what_takes_long(expression) and not _may_take_long(path)


def hidden(paths: Iterable[Path]) -> list[str]:
    """Return those of the files with tests that take long whose text does not say so.

    `make test-all` would not read them.
    """
    return sorted(str(path) for path in set(paths) if not _may_take_long(path))


def _may_take_long(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return any(word in text for word in _WORDS)
