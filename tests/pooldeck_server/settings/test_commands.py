"""Commands and the log file as the settings have them, and what is said of wrong ones."""

from pathlib import Path

import pytest

from pooldeck.functions import Options
from pooldeck_server.settings import BadSettings, CommandSettings, Settings, read_settings

THUMBNAIL = """\
[commands.thumbnail]
description = "Make a thumbnail."
run = ["convert", "{source}", "-resize", "{width}x", "--", "{target}"]
timeout = 60
retries = 2
idempotent = true
priority = -5
environment = { MAGICK_THREAD_LIMIT = "1" }
success = [0, 1]

[commands.thumbnail.parameters]
width = { type = "integer", default = 256, minimum = 1 }
"""


@pytest.fixture(autouse=True)
def _somewhere_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str) -> None:
    """Write the configuration file."""
    Path("pooldeck.toml").write_text(text)


def complaint(text: str) -> str:
    """Return what is said of a configuration file that is wrong."""
    write(text)
    with pytest.raises(BadSettings) as raised:
        read_settings({})
    assert len(raised.value.problems) == 1
    return raised.value.problems[0]


def test_a_command_is_declared_in_the_file() -> None:
    write(THUMBNAIL)

    (command,) = Settings().declared_commands

    assert command.name == "commands.thumbnail"
    assert list(command.placeholders()) == ["source", "width", "target"]
    assert command.parameter("width").default == 256
    assert command.environment == {"MAGICK_THREAD_LIMIT": "1"}
    assert command.success == (0, 1)
    options = command.options
    assert (options.timeout, options.retries, options.idempotent) == (60.0, 2, True)
    assert options.priority == -5


def test_a_command_waits_in_the_first_thread_pool_unless_it_names_one() -> None:
    plain, placed = '[commands.a]\nrun = ["a"]\n', '[commands.b]\nrun = ["b"]\npool = "cpu"\n'
    threads = '[pools.cpu]\nkind = "process"\n[pools.net]\nkind = "thread"\n'

    write(plain + placed)
    assert _pools() == ["io", "cpu"]
    write(plain + placed + threads)
    assert _pools() == ["net", "cpu"]
    write(plain + '[pools.only]\nkind = "process"\n')
    assert _pools() == ["only"]


def _pools() -> list[str]:
    return [command.options.pool for command in Settings().declared_commands]


def test_a_variable_sets_a_part_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    write(THUMBNAIL)
    monkeypatch.setenv("POOLDECK_COMMANDS__THUMBNAIL__TIMEOUT", "5")
    monkeypatch.setenv("POOLDECK_COMMANDS__WORDS__RUN", '["wc", "-w", "{path}"]')

    by_name = {command.name: command for command in Settings().declared_commands}

    assert by_name["commands.thumbnail"].options.timeout == 5.0
    assert by_name["commands.words"].run == ("wc", "-w", "{path}")


def test_a_command_takes_every_option_of_a_task() -> None:
    fields = set(Options.__struct_fields__) - {"name", "safe_in"}  # it has its own process
    assert fields <= set(CommandSettings.model_fields)
    write('[commands.a]\nrun = ["a", "{pin}"]\nbackoff = 0\nsensitive = ["pin"]\n')
    (command,) = Settings().declared_commands
    assert (command.options.backoff, command.options.sensitive) == (0.0, ("pin",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[commands.a]\nrun = ["a"]\ntimeout = 0\n',
            "commands.a.timeout = 0: must be seconds above 0, or None. Set it by ",
        ),
        (
            '[commands.a]\nrun = ["a"]\npriority = 101\n',
            "commands.a.priority = 101: must be a whole number, -100 to 100. Set it by ",
        ),
        ('[commands.a]\nrun = ["a"]\nretries = "x"\n', "commands.a.retries = 'x': "),
        (
            "[commands.a]\n",
            "commands.a.run is missing. Set it by POOLDECK_COMMANDS__A__RUN or run ",
        ),
        ("[commands.a]\nrun = []\n", "commands.a.run = []: "),
        (
            '[commands.a]\nrun = ["ls -l"]\ntimeuot = 5\n',
            "commands.a.timeuot: there is no such setting; did you mean timeout?",
        ),
        (
            '[commands.a]\nrun = ["a", "{b}"]\n[commands.a.parameters]\nb = { mimimum = 5 }\n',
            "commands.a.parameters.b.mimimum: there is no such setting; did you mean minimum?",
        ),
        (
            '[commands.a]\nrun = ["a", "{b}"]\n[commands.a.parameters]\nb = { minimum = 5 }\n',
            "commands.a.parameters.b: minimum and maximum are for numbers",
        ),
        (
            '[commands.a]\nrun = ["a", "{b"]\n',
            "commands.a: '{b': expected '}' before end of string",
        ),
        (
            '[commands.a]\nrun = ["a"]\nenvironment = { POOLDECK_BOOT = "" }\n',
            "commands.a: environment: names with POOLDECK_ are the server's own",
        ),
        ('[commands."a b"]\nrun = ["a"]\n', "commands.a b"),
        ("[log]\n", "log.path is missing"),
        (
            '[log]\npath = "x"\nkeeps = 2\n',
            "log.keeps: there is no such setting; did you mean keep?",
        ),
        ('[log]\npath = "x"\nmax_bytes = 5\n', "log.max_bytes = 5: "),
    ],
)
def test_what_is_wrong_is_said_with_the_place(text: str, said: str) -> None:
    assert complaint(text).startswith(said)


def test_there_is_no_log_file_unless_it_has_a_path() -> None:
    assert Settings().log is None
    write('[log]\npath = "logs/tasks.log"\nformat = "json"\n')
    log = Settings().log

    assert log is not None
    assert (log.path, log.format, log.level) == (Path("logs/tasks.log"), "json", "INFO")
    assert (log.max_bytes, log.keep, log.server) == (50_000_000, 5, False)
