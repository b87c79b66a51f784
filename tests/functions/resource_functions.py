"""Functions with resources, whose ends are seen in a file; workers import this module."""

import os
import threading
from pathlib import Path

from pooldeck import resource, task

_LOG = Path(os.environ.get("RESOURCE_LOG", os.devnull))


class Noted:
    """Says when it is opened and closed, and on which thread."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.thread = threading.get_ident()
        self.say("opened")

    def close(self) -> None:
        """Say whether this is the thread that opened it."""
        self.say("closed" if self.thread == threading.get_ident() else "closed elsewhere")

    def say(self, what: str) -> None:
        """Add a line to the file."""
        with _LOG.open("a") as log:
            log.write(f"{self.name} {what}\n")


@resource
def mine() -> Noted:
    """Open what a thread owns."""
    return Noted("mine")


@resource(per="process")
def ours() -> Noted:
    """Open what a process owns."""
    return Noted("ours")


@task
def use() -> list[int]:
    """Use both."""
    return [id(mine()), id(ours())]
