"""What a host says of its machine."""

import os
import platform
import socket
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

from pooldeck.cpus import usable_cpus
from pooldeck.hosts.wire import Machine, Sampled, WorkerSample

_MACHINE_IDS: Final = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE: Final = Path("/proc/self/ns/pid")


def this_machine() -> Machine:
    """Return what tells this machine, and what of its processes can be seen here, from others."""
    return Machine(
        id=_first_line(*_MACHINE_IDS) or socket.gethostname(),
        boot_id=_first_line(_BOOT_ID) or f"{psutil.boot_time():.0f}",
        pid_namespace=_pid_namespace(),
        hostname=socket.gethostname(),
        cpus=usable_cpus(),
        memory_bytes=psutil.virtual_memory().total,
    )


def _first_line(*paths: Path) -> str:
    for path in paths:
        with suppress(OSError):
            if line := path.read_text().strip():
                return line
    return ""


def _pid_namespace() -> str:
    with suppress(OSError):
        return str(_PID_NAMESPACE.readlink())
    return ""


def versions() -> dict[str, str]:
    """Return the versions that server and host compare."""
    return {
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "pooldeck": version("pooldeck"),
    }


def sample(workers: dict[str, int]) -> Sampled:
    """Return what the machine and workers use; it reads files, so not on an event loop.

    Args:
        workers: Their process ids.
    """
    rows = []
    for worker, pid in workers.items():
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            times = process.cpu_times()
            rows.append(WorkerSample(worker, times.user + times.system, process.memory_info().rss))
    memory = psutil.virtual_memory()
    return Sampled(rows, os.getloadavg()[0], memory.total - memory.available)
