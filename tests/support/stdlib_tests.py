"""CPython's own tests of executors, to be run with others.

They come from `test.test_concurrent_futures` of this Python or, since many installations leave it
out, of another Python that is installed beside it.
"""

import importlib
import sys
import sysconfig
import unittest
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

NAME: Final = "test_concurrent_futures"


def folders() -> Iterator[Path]:
    """Yield the folders of tests of this Python and of those installed beside it."""
    own = Path(sysconfig.get_path("stdlib"))
    yield own / "test"
    installed = Path(sys.base_prefix).parent
    yield from sorted(installed.glob("*/lib/python3.*/test"), reverse=True)


def load(folder: Path) -> list[ModuleType]:
    """Import the tests in a folder; they may not fit this Python."""
    sys.path.append(str(folder))  # workers get the path, and find the functions of the tests
    try:
        found = importlib.import_module(NAME)
        parts = sorted(Path(found.__path__[0]).glob("*.py")) if hasattr(found, "__path__") else []
        return [found, *(importlib.import_module(f"{NAME}.{part.stem}") for part in parts)]
    except (ImportError, AttributeError, unittest.SkipTest):
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
            del sys.modules[name]
        return []


def first_that_fits() -> dict[str, Any]:
    """Return what the tests of the first Python that fits define."""
    for folder in folders():
        if modules := load(folder):
            return {name: value for module in modules for name, value in vars(module).items()}
    return {}


STDLIB: Final = first_that_fits()
"""What they define; nothing where no Python here has some that fit this one."""
