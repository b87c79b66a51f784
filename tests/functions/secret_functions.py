"""Functions that repeat their sensitive argument in every way that leaves a worker."""

import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pooldeck import current_task, task


class Opaque:
    """A value that is no JSON, and says what it holds."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __repr__(self) -> str:
        return f"Opaque({self.secret!r})"


@task(sensitive=("secret",))
def raise_it(secret: str) -> None:
    """Raise errors with it in their messages, one of them the cause of the other."""
    try:
        os.environ[secret]
    except KeyError as error:
        raise ValueError(f"cannot log in with {secret!r}") from error


@task(sensitive=("secret", "pin"))
def say_it(secret: str, pin: int) -> str:
    """Print, log and report it, in pieces too, and have C code and a child write it."""
    print("as", secret, json.dumps({"it": secret}), quote(secret), flush=True)  # noqa: T201
    sys.stdout.write("in pieces " + secret[:5])
    time.sleep(0.7)
    sys.stdout.write(secret[5:] + "\n")
    logging.getLogger(f"log.{secret}").warning("with %s and %d", secret, pin)
    current_task().log(f"a line with {pin}")
    current_task().progress(0.5, f"logging in with {secret}")
    os.write(2, f"C code says {secret}\n".encode())
    subprocess.run([sys.executable, "-c", "import sys; print(sys.argv[1])", secret], check=True)
    return "said"


@task(sensitive=("secret",))
def return_it(secret: str) -> Any:
    """Return what is no JSON."""
    return Opaque(secret)


@task(sensitive=("secret",))
def die_with_it(secret: str) -> None:
    """Crash, with it on standard error, in the log and in an unfinished line."""
    print("last words", secret)  # noqa: T201
    sys.stdout.write(f"unfinished {secret}")
    os.write(2, f"terminate called, {secret}".encode())
    os.abort()


@task(sensitive=("secret",))
def hold_it(secret: str, flag: str) -> str:  # noqa: ARG001
    """Keep it until a file is there."""
    while not Path(flag).exists():
        time.sleep(0.01)
    return "held"


@task
def repeat(text: str) -> str:
    """Print and log what is not sensitive here."""
    print("beside it", text)  # noqa: T201
    current_task().progress(0.5, text)
    raise ValueError(text)
