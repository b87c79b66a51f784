"""The command line in the process of the test, against a server that the test runs."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Struct

from pooldeck_server.cli import main
from tests.support.served import Served


class Said(Struct, frozen=True):
    """What a command ended with, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def json_lines(self) -> Iterator[Any]:
        return map(json.loads, self.out.splitlines())


class Commands:
    """Runs commands that talk to `server`."""

    def __init__(self, server: Served, captured: pytest.CaptureFixture[str]) -> None:
        self.server, self._captured = server, captured
        self.url = str(server.http.base_url)

    def __call__(self, name: str, *arguments: str) -> Said:
        self._captured.readouterr()
        code = main([name, "--url", self.url, *arguments])
        out, err = self._captured.readouterr()
        return Said(code, out, err)
