"""What the command line says, and the exit codes that scripts rely on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pooldeck_server.settings import OPTIONS, BadSettings, read_settings


def pooldeck(*arguments: str, folder: Path, **environment: str) -> tuple[int, str, str]:
    """Run the command and return its exit code and what it wrote to stdout and stderr."""
    completed = subprocess.run(
        [sys.executable, "-m", "pooldeck", *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return completed.returncode, completed.stdout, completed.stderr


def problems_of(**given: object) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        read_settings(given)
    return caught.value.problems


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory without settings in the environment."""
    for name in [name for name in os.environ if name.startswith("POOLDECK_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_names_each_option_and_where_the_rest_is_set(folder: Path) -> None:
    exit_code, stdout, _ = pooldeck("serve", "--help", folder=folder)

    assert exit_code == 0
    assert all(f"--{name}" in stdout for name in OPTIONS)
    assert "pooldeck.toml" in stdout
    assert "POOLDECK_POOLS__CPU__SIZE" in stdout


def test_the_setting_of_another_database_is_refused_wherever_it_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "pooldeck.toml").write_text('database_url = "sqlite:///other.db"\n')
    (in_file,) = problems_of()
    (folder / "pooldeck.toml").unlink()
    monkeypatch.setenv("POOLDECK_DATABASE_URL", "sqlite:///other.db")
    (in_environment,) = problems_of()

    assert in_file == in_environment
    assert in_file.startswith("database_url: there is no such setting any more")
    assert "pooldeck.sqlite3" in in_file


def test_a_wrong_setting_ends_with_code_2_and_one_line_that_says_how_to_set_it(
    folder: Path,
) -> None:
    exit_code, stdout, stderr = pooldeck("serve", "--port", "70000", folder=folder)

    assert (exit_code, stdout) == (2, "")
    assert stderr == (
        "pooldeck: port = 70000: should be less than or equal to 65535. "
        "Set it by --port, POOLDECK_PORT or port in pooldeck.toml\n"
    )


def test_a_file_in_the_place_of_a_module_is_refused_with_what_to_write(folder: Path) -> None:
    named = pooldeck("serve", "--functions", "jobs,acme/jobs.py", folder=folder)
    unnamed = pooldeck("serve", "jobs.py", folder=folder)

    assert named[:2] == unnamed[:2] == (2, "")
    assert "acme/jobs.py is a file, and modules are named: write acme.jobs." in named[2]
    assert "named by --functions MODULE" in unnamed[2]
    assert len(named[2].splitlines()) == len(unnamed[2].splitlines()) == 1


def test_a_server_that_cannot_start_ends_with_code_1_and_one_line(folder: Path) -> None:
    exit_code, _, stderr = pooldeck("serve", "--config", "absent.toml", folder=folder)

    assert exit_code == 1
    assert stderr == "pooldeck: the configuration file absent.toml does not exist\n"


def test_each_wrong_setting_has_its_own_line(folder: Path) -> None:
    exit_code, _, stderr = pooldeck(
        "serve", folder=folder, POOLDECK_POOLS__CPU__SIZE="0", POOLDECK_LIMITS__DEPTH="many"
    )

    assert exit_code == 2
    cpu, depth = sorted(stderr.splitlines(), reverse=True)
    assert "pools.cpu.size = '0'" in cpu
    assert "POOLDECK_POOLS__CPU__SIZE or size under [pools.cpu]" in cpu
    assert "limits.depth = 'many'" in depth


def test_a_token_that_is_too_short_is_not_repeated(folder: Path) -> None:
    _, stdout, stderr = pooldeck("serve", folder=folder, POOLDECK_TOKEN="hunter2")

    assert "token: must be at least 16 characters" in stderr
    assert "hunter2" not in stdout + stderr


def test_a_token_that_no_header_can_carry_is_refused_in_one_line(folder: Path) -> None:
    exit_code, stdout, stderr = pooldeck(
        "serve", folder=folder, POOLDECK_TOKEN="hunter2-hunter2-hunter2 "
    )

    assert (exit_code, stdout, stderr.count("\n")) == (2, "", 1)
    assert "token: has a space" in stderr
    assert "hunter2" not in stderr


@pytest.mark.parametrize("command", [("serve",), ("tune", "acme.jobs.thumbnail")])
def test_a_mistyped_variable_ends_every_command_with_code_2_and_its_value_is_not_repeated(
    folder: Path, command: tuple[str, ...]
) -> None:
    exit_code, stdout, stderr = pooldeck(*command, folder=folder, POOLDECK_TOKN="hunter2")

    assert (exit_code, stdout) == (2, "")
    assert stderr == (
        "pooldeck: POOLDECK_TOKN: there is no such setting; did you mean POOLDECK_TOKEN?\n"
    )


def test_a_server_cannot_be_quiet_and_verbose(folder: Path) -> None:
    exit_code, _, stderr = pooldeck("serve", "--quiet", "--verbose", folder=folder)

    assert exit_code == 2
    assert "not allowed with argument" in stderr


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--log-format", "json"), "[terminal]\nlevel = 'verbose'\n"),
        (("-v",), "[terminal]\nformat = 'json'\n"),
    ],
)
def test_a_server_that_cannot_start_says_so_in_the_format_that_was_asked_for(
    folder: Path, options: tuple[str, ...], text: str
) -> None:
    (folder / "pooldeck.toml").write_text(text)
    (folder / "kept").touch()  # a file, where the folder of the data has to be

    exit_code, _, stderr = pooldeck("serve", *options, "--data", "kept", folder=folder)

    lines = [json.loads(line) for line in stderr.splitlines()]
    assert exit_code == 1
    assert [line["level"] for line in lines][-1] == "CRITICAL"
    assert "kept" in lines[-1]["message"]


@pytest.mark.usefixtures("folder")
def test_an_address_that_others_reach_is_refused_without_a_token() -> None:
    [problem] = problems_of(host="0.0.0.0")
    assert problem == (
        "host 0.0.0.0 can be reached from other machines: set POOLDECK_TOKEN, or "
        "POOLDECK_ACCESS=tokens, or bind to 127.0.0.1"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("prot = 1", "prot: there is no such setting; did you mean port?"),
        ("xyzzy = 1", "xyzzy: there is no such setting"),
        ("limits.dept = 1", "limits.dept: there is no such setting; did you mean depth?"),
        (
            "[pools.io]\nkind = 'thread'\nsiez = 1",
            "pools.io.siez: there is no such setting; did you mean size?",
        ),
        (
            "[pools.io]\nsize = 1",
            (
                "pools.io.kind is missing. Set it by POOLDECK_POOLS__IO__KIND "
                "or kind under [pools.io] in pooldeck.toml"
            ),
        ),
    ],
)
def test_a_mistake_in_the_file_is_named(folder: Path, text: str, problem: str) -> None:
    (folder / "pooldeck.toml").write_text(text)

    assert problems_of() == [problem]


def test_a_file_that_is_not_toml_is_said_to_be_none(folder: Path) -> None:
    (folder / "pooldeck.toml").write_text("port 8000")

    [problem] = problems_of()

    assert problem.startswith("the configuration file is not valid TOML: ")
    assert "line 1" in problem


def test_a_file_that_is_not_text_is_said_to_be_unreadable(folder: Path) -> None:
    (folder / "pooldeck.toml").write_bytes(b"\xff")

    assert problems_of()[0].startswith("the settings cannot be read: ")


@pytest.mark.usefixtures("folder")
def test_a_variable_that_is_not_json_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLDECK_LIMITS", "{")

    [problem] = problems_of()

    assert "limits" in problem


def test_the_command_line_beats_variables_and_variables_beat_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "pooldeck.toml").write_text("port = 1\nhost = 'localhost'\ndata = 'file'")
    monkeypatch.setenv("POOLDECK_PORT", "2")
    monkeypatch.setenv("POOLDECK_HOST", "127.0.0.2")

    settings = read_settings({"port": 3})

    assert (settings.port, settings.host, settings.data) == (3, "127.0.0.2", Path("file"))


@pytest.mark.usefixtures("folder")
def test_several_modules_of_functions_are_parted_by_commas() -> None:
    settings = read_settings({"functions": "acme.jobs, acme.mail"})

    assert settings.functions == ("acme.jobs", "acme.mail")
