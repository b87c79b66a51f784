"""Asks the server that runs with a data folder, by its socket there, as its own user."""

import socket
from pathlib import Path
from typing import Final

import msgspec

from pooldeck_server.domain.tokens import TokenAnswer, TokenCommand
from pooldeck_server.runtime.access.socket_path import short

_SECONDS: Final = 30.0


def ask(path: Path, command: TokenCommand) -> TokenAnswer:
    """Return what the server that listens at `path` says; an `error` where none does."""
    try:
        with short(path) as name, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            asking.settimeout(_SECONDS)
            asking.connect(name)
            asking.sendall(msgspec.json.encode(command) + b"\n")
            with asking.makefile("rb") as answer:
                return msgspec.json.decode(answer.readline(), type=TokenAnswer)
    except PermissionError:
        return TokenAnswer(error=f"{path} is for the server's own user: use that one, or root")
    except (OSError, msgspec.DecodeError):
        return TokenAnswer(
            error=f"no server answers at {path}: start it with this data folder, then try again; "
            'with access = "tokens" nothing is open until you have made a token'
        )
