"""The `pooldeck` command: runs the command line in an interpreter that user code cannot reach.

The working directory and PYTHONPATH are where the *workers* find user modules. The server's own
import path must not contain them: a user's `secrets.py` or `httpx/` would take the place of what
the server imports. So the command replaces itself with an interpreter that ignores both, and leaves
PYTHONPATH in the environment for the workers to inherit.

Until then user code is in reach: nothing is imported here but what every interpreter has loaded,
or what is built into it and so cannot be elsewhere.
"""

import _signal  # type: ignore[import-not-found]  # the part of `signal` that is built in
import os
import sys

_OURS = {"", "pooldeck", "pooldeck_server"}
_EXIT_CANNOT_START = 1
_END_SIGNALS = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP)


def main() -> int:
    """Run the command line with the arguments of the process, out of reach of user code.

    Returns:
        The exit code, unless the process is replaced: that of the command line, or 1 where a
        library of an extra is missing.
    """
    if sys.argv[1:2] == ["serve"]:
        # Until `web.http.server` takes them, these wait: none ends a start in the middle, and none
        # is lost, as it would be in process 1 of a container. What replaces this inherits that.
        _signal.pthread_sigmask(_signal.SIG_BLOCK, _END_SIGNALS)
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
        from pooldeck_server.command_line.table import install_words  # noqa: PLC0415  (as above)

        words = install_words(missing, sys.argv[1:2])
        print(f"pooldeck: {words}", file=sys.stderr)  # noqa: T201  (the command's own voice)
        return _EXIT_CANNOT_START


def isolated_command(arguments: list[str]) -> list[str]:
    """Return the command that runs the server with `arguments` on the installed packages alone.

    `-P` keeps the working directory out and `-E` keeps PYTHONPATH out. `-I` would also shut out
    the user's site-packages, where `pip install --user` may have put Pooldeck itself; `-s` does
    so only where it was asked for, since `-E` hides PYTHONNOUSERSITE as well.
    """
    user_site = ["-s"] if sys.flags.no_user_site else []
    return [sys.executable, "-P", "-E", *user_site, "-m", "pooldeck_server", *arguments]
