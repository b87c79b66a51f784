"""What of the standard library, and of a few others, acts on the whole process.

It is known by its object, whatever name a module gives it; what is imported only when a function
runs is known by its full name.
"""

import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

from msgspec import Struct

from pooldeck.risks import RiskKind

_CALLED: Final = {
    RiskKind.SIGNALS: (
        "signal.signal signal.alarm signal.setitimer signal.siginterrupt signal.set_wakeup_fd "
        "signal.pthread_sigmask signal.sigwait signal.sigtimedwait signal.sigwaitinfo "
        "signal.pause faulthandler.register"
    ),
    RiskKind.DIRECTORY: "os.chdir os.fchdir os.chroot os.umask contextlib.chdir",
    RiskKind.ENVIRONMENT: "os.putenv os.unsetenv",
    RiskKind.OUTPUT: "contextlib.redirect_stdout contextlib.redirect_stderr",
    RiskKind.LOCALE: "locale.setlocale time.tzset",
    RiskKind.LIMITS: (
        "resource.setrlimit os.nice os.setpriority os.sched_setaffinity os.sched_setscheduler "
        "os.setuid os.setgid os.seteuid os.setegid os.setreuid os.setregid os.setresuid "
        "os.setresgid os.setgroups os.setsid os.setpgid os.dup2 sys.setrecursionlimit "
        "sys.setswitchinterval sys.settrace sys.setprofile threading.stack_size "
        "socket.setdefaulttimeout gc.disable gc.enable gc.freeze gc.set_threshold"
    ),
    RiskKind.REPORTING: (
        "warnings.filterwarnings warnings.simplefilter warnings.resetwarnings "
        "warnings.catch_warnings logging.basicConfig logging.disable logging.captureWarnings "
        "logging.setLoggerClass logging.config.dictConfig logging.config.fileConfig"
    ),
    RiskKind.WRITES: "random.seed random.setstate numpy.random.seed numpy.random.set_state",
}
_CALLS: Final = {name: kind for kind, names in _CALLED.items() for name in names.split()}

_SET: Final = {
    "sys.stdin": RiskKind.OUTPUT,
    "sys.stdout": RiskKind.OUTPUT,
    "sys.stderr": RiskKind.OUTPUT,
    "os.environ": RiskKind.ENVIRONMENT,
    "os.environb": RiskKind.ENVIRONMENT,
    "sys.excepthook": RiskKind.REPORTING,
}


class Unloaded(Struct, frozen=True):
    """A module that is not imported yet, or something in it, by its full name."""

    name: str


class Called:
    """What a function or a class does to its process by being called, as of what is loaded now."""

    def __init__(self) -> None:
        self._names = {id(value): name for name, value in _loaded()}

    def find(self, value: Any) -> tuple[RiskKind, str] | None:
        """Return what a value does, and its full name; None of any other."""
        name = value.name if type(value) is Unloaded else self._names.get(id(value))
        return None if name is None or name not in _CALLS else (_CALLS[name], name)


def assigned(name: str) -> RiskKind:
    """Return what it means to set what stands in a module by that full name."""
    return _SET.get(name, RiskKind.WRITES)


def is_environment(value: Any) -> bool:
    """Tell whether a value is the environment of the process."""
    return value is os.environ or value is getattr(os, "environb", os.environ)


def contents(module: ModuleType) -> dict[str, Any]:
    """Return what is in a module, without waking one that loads itself at first use."""
    found: dict[str, Any] = object.__getattribute__(module, "__dict__")
    return found


def _loaded() -> Iterator[tuple[str, Any]]:
    for name in _CALLS:
        module, _, attribute = name.rpartition(".")
        loaded = sys.modules.get(module)
        if loaded is not None and attribute in contents(loaded):
            yield name, contents(loaded)[attribute]
