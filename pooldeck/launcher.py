"""The `pooldeck` command: starts the server's interpreter out of reach of user code.

The working directory and PYTHONPATH are where the *workers* find user modules. The server's own
import path must not contain them: a user's package `app`, the commonest name there is, would shadow
the server's. So the command replaces itself with an interpreter that ignores both, and leaves
PYTHONPATH in the environment for the workers to inherit.
"""

import os
import sys
from typing import NoReturn

MODULE = "pooldeck_server.cli"


def main() -> NoReturn:
    """Replace this process with the server's command line; the arguments stay as they are."""
    command = isolated_command(sys.argv[1:])
    os.execv(command[0], command)  # noqa: S606  (no shell: the arguments are passed on untouched)


def isolated_command(arguments: list[str]) -> list[str]:
    """Return the command that runs the server with `arguments` on the installed packages alone.

    `-P` keeps the working directory out and `-E` keeps PYTHONPATH out. `-I` would also shut out
    the user's site-packages, where `pip install --user` may have put Pooldeck itself; `-s` does
    so only where it was asked for, since `-E` hides PYTHONNOUSERSITE as well.
    """
    user_site = ["-s"] if sys.flags.no_user_site else []
    return [sys.executable, "-P", "-E", *user_site, "-m", MODULE, *arguments]
