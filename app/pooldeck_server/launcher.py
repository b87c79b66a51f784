"""The `pooldeck` command: runs the command line in an interpreter that user code cannot reach.

The working directory and PYTHONPATH are where the *workers* find user modules. The server's own
import path must not contain them: a user's `secrets.py` or `httpx/` would take the place of what
the server imports. So the command replaces itself with an interpreter that ignores both, and leaves
PYTHONPATH in the environment for the workers to inherit.

Until then user code is in reach: nothing is imported here but what every interpreter has loaded.
"""

import os
import sys

_OURS = {"", "pooldeck", "pooldeck_server"}
_EXIT_CANNOT_START = 1


def main() -> int:
    """Run the command line with the arguments of the process, out of reach of user code.

    Returns:
        The exit code, unless the process is replaced: that of the command line, or 1 where a
        library of the extra `server` is missing.
    """
    if not (sys.flags.safe_path and sys.flags.ignore_environment):
        command = isolated_command(sys.argv[1:])
        os.execv(command[0], command)  # noqa: S606  (no shell: arguments are passed on untouched)
    try:
        from pooldeck_server.cli import main as run  # noqa: PLC0415  (not where user code is)

        return run()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in _OURS:
            raise
        print(  # noqa: T201  (the command's own voice)
            f"pooldeck: {missing} is missing, which the server needs: "
            "pip install 'pooldeck[server]'",
            file=sys.stderr,
        )
        return _EXIT_CANNOT_START


def isolated_command(arguments: list[str]) -> list[str]:
    """Return the command that runs the server with `arguments` on the installed packages alone.

    `-P` keeps the working directory out and `-E` keeps PYTHONPATH out. `-I` would also shut out
    the user's site-packages, where `pip install --user` may have put Pooldeck itself; `-s` does
    so only where it was asked for, since `-E` hides PYTHONNOUSERSITE as well.
    """
    user_site = ["-s"] if sys.flags.no_user_site else []
    return [sys.executable, "-P", "-E", *user_site, "-m", "pooldeck_server", *arguments]
