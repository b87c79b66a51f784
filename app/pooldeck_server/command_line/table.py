"""All commands in one table: what each does in a line, and where it is.

The help of `pooldeck` is made from it without a library, and a command is imported when it is
called: so both are quick. Nothing but built-in types may be used here, for the same reason.

To add a command, write a function as typer has them, and a row here. What talks to a server is
decorated with `remote.command.remote`, which brings --url, --token, --profile and --json.
"""

COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "a project": {
        "init": ("project.command:init", "make a project to start from: functions, test, settings"),
        "dev": (
            "developing.command:dev",
            "serve a file while it is written: loads changes, shows what tasks say",
        ),
    },
    "a server": {
        "serve": ("serving:serve", "run the server: its pools, its API and its dashboard"),
        "doctor": (
            "doctor.command:doctor",
            "say what is wrong with configuration, machine and database, and how to mend it",
        ),
        "token": ("tokens:commands", "make, list and revoke the tokens of people and programs"),
        "link": ("tokens:link", "print a link that logs a browser in, once"),
        "backup": ("backups:backup", "copy the database, also while a server uses it"),
        "restore": ("backups:restore", "put a backup into the place of the database"),
        "host": (
            "remote.host:host",
            "run tasks of a pool here, on another machine than the server's",
        ),
        "drain": (
            "remote.drain:drain",
            "have a running server take nothing new, before it is stopped",
        ),
    },
    "tasks": {
        "submit": ("remote.submit:submit", "submit a task, and wait for it or follow it"),
        "run": (
            "remote.running.command:run",
            "run a function over the lines of a file, and write the results",
        ),
        "tasks": ("remote.tasks:tasks", "list tasks, by state, function, tag and so on"),
        "task": ("remote.tasks:task", "show a task: its arguments, attempts, error and log"),
        "logs": ("remote.logs:logs", "print the log of a task, or follow it"),
        "cancel": ("remote.changes:cancel", "cancel tasks by their ids, or all that fit"),
        "change": ("remote.editing:change", "change a task that has not started, or run it now"),
        "retry": ("remote.changes:retry", "run tasks again by their ids, or all that fit"),
    },
    "pools": {
        "status": ("remote.status:status", "say whether a server answers, and how it is"),
        "top": ("remote.top.command:top", "watch pools and running tasks in the terminal"),
        "open": ("remote.opening:open_page", "show the dashboard, or a page of it, in a browser"),
        "pools": ("remote.pools:pools", "list the pools: slots, queue and what is wrong"),
        "resize": ("remote.pools:resize", "give a pool another number of slots"),
        "pause": ("remote.pools:pause", "have a pool hand nothing out"),
        "resume": ("remote.pools:resume", "have a pool go on"),
        "restart": ("remote.pools:restart", "replace the workers of a pool: loads new code"),
        "hosts": ("remote.hosts:hosts", "list the hosts of pools: contact, load, what is wrong"),
        "drain-host": ("remote.hosts:drain_host", "hand a host nothing new, and let it go"),
        "end-host": ("remote.hosts:end_host", "end a host at once, with what runs there"),
    },
    "functions": {
        "functions": ("remote.functions:functions", "list the functions that can be called"),
        "function": ("remote.functions:function", "show a function: signature, pool and options"),
        "hold": ("remote.holding:hold", "let a function's tasks wait, and refuse new ones"),
        "release": ("remote.holding:release", "let a function run again that is on hold"),
        "pause-function": (
            "remote.holding:pause_function",
            "let a function's tasks wait, and take new ones",
        ),
        "resume-function": ("remote.holding:resume_function", "have a paused function go on"),
        "advice": (
            "remote.functions:advice",
            "say which functions would do better in another pool",
        ),
        "tune": (
            "remote.tune:tune",
            "find out which kind of pool suits a function, and how large",
        ),
    },
    "failures": {
        "errors": ("remote.failures:errors", "list failures in groups"),
        "incidents": ("remote.failures:incidents", "list workers that died, and why"),
    },
}
"""Families of commands; of each command the function below `pooldeck_server`, and its help."""

_HEAD = """\
Usage: pooldeck [--version] [--help] COMMAND ...

Thread and process pools with a record and a dashboard. `pooldeck` alone looks for a server, and
says what to do next. `pooldeck COMMAND --help` says more of a command.
"""
_FOOT = """\
Commands that talk to a server take its address from --url, POOLDECK_URL or a profile, and else
from http://127.0.0.1:8000. Completion for your shell: pooldeck --install-completion"""
_LONGEST_NAME = 10  # characters


_TALKS = "remote."  # how the places of commands begin that need only the extra `cli`
_SERVER = "which the server needs: pip install 'pooldeck[server]'"
_CLI = "which commands need that talk to a server: pip install 'pooldeck[cli]'"
_EITHER = (
    "which the command line needs: pip install 'pooldeck[cli]' to talk to a server, or "
    "'pooldeck[server]' to run one"
)


def places() -> dict[str, tuple[str, str]]:
    """Return all commands by their names."""
    return {name: row for family in COMMANDS.values() for name, row in family.items()}


def overall_help() -> str:
    """Return what `pooldeck --help` says."""
    lines = [_HEAD]
    for title, commands in COMMANDS.items():
        lines.append(f"{title[0].upper()}{title[1:]}:")
        lines += [f"  {name:<{_LONGEST_NAME}} {words}" for name, (_, words) in commands.items()]
        lines.append("")
    return "\n".join([*lines, _FOOT])


def install_words(missing: str, arguments: list[str]) -> str:
    """Return what to install for a command that cannot be imported, in one line.

    Args:
        missing: The library that is not there.
        arguments: What the process was called with; a command comes first.
    """
    rows = places()
    name = arguments[0] if arguments else ""
    if name not in rows:
        return f"{missing} is missing, {_EITHER}"
    return f"{missing} is missing, {_CLI if rows[name][0].startswith(_TALKS) else _SERVER}"
