"""What a worker has loaded of the user's code, as data: functions, failures, sources."""

import os
import stat
from importlib.util import source_hash
from typing import Final

from msgspec import Struct

from pooldeck.functions import FunctionSpec
from pooldeck.outcome import Error

_LARGEST: Final = 16 * 1024 * 1024  # bytes of a source file


class ModuleFailure(Struct, frozen=True, array_like=True):
    """A module that could not be loaded, and what it wrote meanwhile."""

    module: str
    error: Error
    output: str = ""


class LoadedCode(Struct, frozen=True, array_like=True):
    """The code of one worker.

    `failures` are the modules that could not be loaded; their functions are missing. `sources` are
    the files of the user's that were loaded, each with a digest of what was in it.
    """

    modules: tuple[str, ...] = ()  # those that were to be loaded
    functions: tuple[FunctionSpec, ...] = ()
    failures: tuple[ModuleFailure, ...] = ()
    sources: dict[str, str] = {}


def digest_of(path: str) -> str | None:
    """Return a digest of what is in a source file at this moment; None if it cannot be read.

    Whatever stands at the path, it is read in a moment: only files of an ordinary size are.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            return None
        try:
            return source_hash(file.read()).hex()
        except OSError:
            return None
