"""A page that is walked in one shell, from its first command to its last, as its readers do."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.documented.apps import free_port
from tests.support.documented.walks import Step
from tests.support.programs import started

PORTS: Final = ("8000", "8001", "8790")
"""Those of pages: free ones stand in their place. The first is that of the server."""

_FILE: Final = re.compile(r"`([\w.]+)`:\n\n```(?:python|toml)\n(.*?)```", re.DOTALL)
_END: Final = "---end---"


class Shell:
    """A shell in a folder, with the files that a page has its readers write."""

    def __init__(
        self, process: "subprocess.Popen[str]", folder: Path, ports: Mapping[str, str]
    ) -> None:
        self._process = process
        self._folder = folder
        self._ports = ports

    def say(self, step: Step) -> list[str]:
        """Run a command; return the lines that it says, as a page would show them."""
        command = _replaced(step.command, self._ports)
        return [self._shown(line) for line in self._lines(command)]

    def _lines(self, command: str) -> Iterator[str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\necho {_END}\n")
        self._process.stdin.flush()
        while (line := self._process.stdout.readline().rstrip("\n")) != _END:
            assert self._process.poll() is None, "the shell has ended"
            yield line

    def _shown(self, line: str) -> str:
        ports = {real: shown for shown, real in self._ports.items()}
        return _replaced(line, ports).replace(f"{self._folder}/", "")

    def url(self, path: str) -> str:
        """Return where a page of the server is."""
        return f"http://127.0.0.1:{self._ports[PORTS[0]]}{path}"


def _replaced(text: str, ports: Mapping[str, str]) -> str:
    """Return a text with other ports: in one go, since one may look like a part of another."""
    return re.sub(rf"\b({'|'.join(ports)})\b", lambda found: ports[found[0]], text)


@contextmanager
def shell(page: str, folder: Path) -> Iterator[Shell]:
    """Open a shell in `folder`, with the files of a page; all that it starts ends with it."""
    ports = {port: free_port() for port in PORTS}
    for name, content in _FILE.findall(page):
        (folder / name).write_text(_replaced(content, ports))
    inherited = {name: value for name, value in os.environ.items() if "POOLDECK" not in name}
    ours = str(Path(sys.executable).parent)
    server = ports[PORTS[0]]
    with started(
        ["bash", "--noprofile", "--norc"],
        cwd=folder,
        env=inherited
        | {
            "PATH": f"{ours}:{inherited['PATH']}",
            "POOLDECK_PORT": server,
            "POOLDECK_URL": f"http://127.0.0.1:{server}",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield Shell(process, folder, ports)
