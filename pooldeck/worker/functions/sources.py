"""Which files of the user's code a worker has loaded, and what was in them.

By that it can be told whether two workers run the same code, and whether the disk has other code
by now. What Python and installed packages bring is left out, unless it is what is served.
"""

import site
import sys
import sysconfig
from collections.abc import Container, Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Final

from pooldeck.loaded_code import digest_of

_MOST: Final = 10_000  # files
_INSTALLED: Final = ("stdlib", "platstdlib", "purelib", "platlib")
_OWN: Final = str(Path(__file__).parents[1])


def loaded(modules: Iterable[str], known: Container[str] = ()) -> dict[str, str]:
    """Return the digest of each file that was loaded for `modules`, by its path.

    Those of files that are `known` are left out.
    """
    served = {name.partition(".")[0] for name in modules}
    found = {}
    for path in islice(_files(served), _MOST):
        if path not in known and (digest := digest_of(path)) is not None:
            found[path] = digest
    return found


def _files(served: set[str]) -> Iterator[str]:
    elsewhere = _installed_folders()
    for name, module in list(sys.modules.items()):
        path = _file_of(module)
        if path is None or path.startswith(_OWN):
            continue
        if name.partition(".")[0] in served or not path.startswith(elsewhere):
            yield path


def _file_of(module: ModuleType) -> str | None:
    """Return the path of the file that a module was loaded from, if it was from one."""
    spec = vars(module).get("__spec__") if isinstance(module, ModuleType) else None
    origin = getattr(spec, "origin", None)
    is_there = isinstance(origin, str) and getattr(spec, "has_location", False)
    return origin if is_there else None


def _installed_folders() -> tuple[str, ...]:
    paths = [sysconfig.get_path(name) for name in _INSTALLED]
    return (*paths, *site.getsitepackages(), site.getusersitepackages())
