"""Commands of a document, run as they stand there, and what they say held against what is shown.

In what is shown `…` stands for anything; numbers, times and ids differ from run to run. An id that
a document shows stands, in the commands after it, for the one that was seen in its place.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

_ID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TOKENS: Final = re.compile(rf"({_ID})|(…)|(\d[\d:.TZ-]*)|(\s+)|([^\s…\d]+|.)", re.DOTALL)
_NUMBER: Final = r"\d[\d:.TZ-]*"
_BOUND: Final = 120.0  # seconds that a command may take


class Step(Struct, frozen=True):
    """A command of a document, and what is shown of what it says."""

    command: str
    shown: str


def steps(text: str) -> Iterator[Step]:
    """Yield the commands of a block, each after `$ ` at the beginning of a line."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *shown = part.rstrip("\n").split("\n")
        while shown and (command.endswith("\\") or command.count("'") % 2):
            command += "\n" + shown.pop(0)
        yield Step(command, "\n".join(shown))


class Walk:
    """A walk through commands in a folder: `stands_for` is what each word of them stands for."""

    def __init__(self, folder: Path, stands_for: Mapping[str, str]) -> None:
        self._folder = folder
        self.stands_for = dict(stands_for)

    def go(self, walked: Iterable[Step]) -> None:
        """Run each step.

        Raises:
            AssertionError: If a command says something else than is shown.
        """
        for step in walked:
            said = self._say(step.command)
            if step.shown:
                found = _pattern(step.shown, self.stands_for).fullmatch(said.strip())
                assert found, f"$ {step.command}\nshown:\n{step.shown}\nsaid:\n{said}"
                self.stands_for |= {_shown_id(name): id_ for name, id_ in found.groupdict().items()}

    def _say(self, command: str) -> str:
        for shown, real in self.stands_for.items():
            command = command.replace(shown, real)
        inherited = {name: value for name, value in os.environ.items() if "POOLDECK" not in name}
        path = f"{Path(sys.executable).parent}{os.pathsep}{self._folder}{os.pathsep}"
        ran = subprocess.run(
            ["bash", "-c", command],
            cwd=self._folder,
            env=inherited | {"PATH": path + inherited["PATH"], "POOLDECK_URL": self._address},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=_BOUND,
            check=False,
        )
        return ran.stdout.replace("\r\n", "\n")

    @property
    def _address(self) -> str:
        return f"http://{self.stands_for.get('127.0.0.1:8000', '127.0.0.1:8000')}"


def fits(shown: str, said: str) -> bool:
    """Tell whether what was said is what is shown."""
    return _pattern(shown, {}).fullmatch(said.strip()) is not None


def _pattern(shown: str, known: Mapping[str, str]) -> "re.Pattern[str]":
    return re.compile("".join(_parts(shown.strip(), known)), re.DOTALL)


def _parts(shown: str, known: Mapping[str, str]) -> Iterator[str]:
    seen: set[str] = set()
    for identity, anything, number, blank, word in _TOKENS.findall(shown):
        if identity:
            yield re.escape(known[identity]) if identity in known else _id_group(identity, seen)
            seen.add(identity)
        elif anything:
            yield ".*?"
        elif number:
            yield _NUMBER
        else:
            yield r"\s*" if blank else re.escape(word)


def _id_group(identity: str, seen: set[str]) -> str:
    name = _name(identity)
    return f"(?P={name})" if identity in seen else f"(?P<{name}>{_ID})"


def _name(identity: str) -> str:
    return "id_" + identity.replace("-", "_")


def _shown_id(name: str) -> str:
    return name.removeprefix("id_").replace("_", "-")
