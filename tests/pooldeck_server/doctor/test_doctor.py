"""The doctor names what is broken, whatever that is, and leaves everything as it was."""

import json
import os
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from pooldeck_server.cli import main
from pooldeck_server.doctor import disk
from pooldeck_server.doctor.database import lock_holder
from pooldeck_server.doctor.examination import examine, in_lines
from pooldeck_server.doctor.findings import Level
from pooldeck_server.store.connections import has_wal_bug
from pooldeck_server.store.lock import Lock
from pooldeck_server.store.tables import SCHEMA
from tests.support.certificates import Authority
from tests.support.stored import make

DATA, DATABASE = Path("data"), Path("data/pooldeck.sqlite3")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Look at a folder with a data folder in it, which has a whole database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POOLDECK_PORT", "0")
    DATA.mkdir(mode=0o700)
    make(DATABASE)
    DATABASE.chmod(0o600)
    return tmp_path


def found(topic: str, level: Level = Level.WRONG, **place: Any) -> str:
    """Return what is found of a topic at a level."""
    report = examine({"data": DATA} | place)
    assert all(finding.mend for finding in report.findings if finding.level is not Level.OK)
    return "\n".join(
        finding.text
        for finding in report.findings
        if (finding.topic, finding.level) == (topic, level)
    )


def everything() -> dict[str, tuple[bytes, int]]:
    """Return all files with what is in them, and when they were written."""
    files = (path for path in Path().rglob("*") if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def sql(*statements: str) -> None:
    with closing(sqlite3.connect(DATABASE)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_a_whole_installation_is_well_and_nothing_is_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POOLDECK_TOKEN", "a-token-of-the-tests-long-enough")
    before = everything()
    report = examine({"data": DATA})
    assert [each.text for each in report.findings if each.level is Level.WRONG] == []
    assert any(SCHEMA in each.text for each in report.findings if each.topic == "database")
    assert everything() == before
    assert "ok" in next(in_lines(report))


def test_it_answers_by_its_exit_code_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    DATABASE.write_bytes(b"no database at all, but some words that somebody has put there")
    assert main(["doctor", "--data", str(DATA), "--json"]) == 2
    said = json.loads(capsys.readouterr().out)
    assert said["level"] == "wrong"
    assert {"topic", "level", "text", "mend"} <= said["findings"][0].keys()


def cut() -> None:
    DATABASE.write_bytes(DATABASE.read_bytes()[:9000])


def overwrite() -> None:
    content = bytearray(DATABASE.read_bytes())
    content[8192:40960] = b"\x55" * (40960 - 8192)
    DATABASE.write_bytes(content)


def someone_elses() -> None:
    DATABASE.unlink()
    sql("CREATE TABLE letters (text)")


def lone_log() -> None:
    DATABASE.rename("aside")
    DATABASE.with_name("pooldeck.sqlite3-wal").write_bytes(b"x" * 5000)


def newer() -> None:
    sql("UPDATE alembic_version SET version_num = '9999'")


def from_tomorrow() -> None:
    tomorrow = (time.time_ns() // 1000) + 86_400_000_000
    sql(
        "INSERT INTO tasks (seq, id, function, pool, state, priority, created_at, args, kwargs)"
        f" VALUES (1, 'a', 'f', 'io', 'queued', 0, {tomorrow}, '[]', '{{}}')"
    )


def a_file() -> None:
    shutil.rmtree(DATA)
    DATA.write_text("a file")


def no_tasks() -> None:
    sql("DROP TABLE counters")


@pytest.mark.parametrize(
    ("break_it", "topic", "words"),
    [
        (cut, "database", ""),
        (overwrite, "database", ""),
        (someone_elses, "database", "another program"),
        (lone_log, "database", "its log pooldeck.sqlite3-wal is there"),
        (newer, "database", f"knows {SCHEMA} only"),
        (from_tomorrow, "clock", "it was set back"),
        (a_file, "disk", "is not a folder"),
        (no_tasks, "database", "counters"),
    ],
)
def test_what_is_broken_is_named_without_changing_it(
    break_it: Callable[[], None], topic: str, words: str
) -> None:
    break_it()
    before = everything()
    said = found(topic)
    assert said
    assert words in said
    assert everything() == before


def test_an_earlier_schema_and_tasks_of_a_backup_are_to_be_looked_at() -> None:
    sql(
        "UPDATE alembic_version SET version_num = '0007'",
        "UPDATE identity SET copied_at = 1, settled_at = NULL",
    )
    said = found("database", Level.LOOK)
    assert f"the next start brings it to {SCHEMA}" in said
    assert "wait for a word" in said


def test_what_a_killed_server_left_is_read_and_stays_as_it_is() -> None:
    with closing(sqlite3.connect(DATABASE)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        for left in list(DATA.iterdir()):
            shutil.copy(left, f"{left}.left")
    for left in DATA.glob("*.left"):
        left.rename(left.with_suffix(""))
    before = everything()
    assert "knows" in found("database")  # what only the log has
    DATABASE.with_name("pooldeck.sqlite3-shm").unlink()
    assert "a killed server left a log" in found("database", Level.LOOK)
    assert before.keys() - everything().keys() == {"data/pooldeck.sqlite3-shm"}


def test_who_holds_the_lock_is_told_without_touching_it() -> None:
    assert lock_holder(DATA / "pooldeck.lock") is None
    lock = Lock.acquire(DATA / "pooldeck.lock")
    try:
        assert lock_holder(DATA / "pooldeck.lock") == str(os.getpid())
        assert f"in use by process {os.getpid()}" in found("database", Level.OK)
    finally:
        lock.release()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("port = = 1", "not valid TOML"),
        ("prot = 1", "did you mean port?"),
        ("[pools.io]\nkind = 'fiber'", "pools.io.kind"),
    ],
)
def test_a_configuration_that_cannot_be_used_hides_nothing_else(text: str, words: str) -> None:
    Path("pooldeck.toml").write_text(text)
    DATABASE.write_bytes(b"x" * 5000)
    report = examine({"data": DATA})
    wrong = [each.text for each in report.findings if each.level is Level.WRONG]
    assert words in wrong[0]
    assert any(str(DATABASE) in each for each in wrong)
    assert found("configuration", config=Path("missing.toml"))


def test_each_module_is_imported_in_a_process_of_its_own() -> None:
    Path("good.py").write_text("from pooldeck import task\n@task\ndef add(a: int) -> int: ...\n")
    Path("broken.py").write_text("\n1 / 0\n")
    Path("leaving.py").write_text("import os\nprint('noise' * 1000)\nos._exit(3)\n")
    Path("pooldeck.toml").write_text(
        'functions = ["good", "broken", "leaving", "nothing"]\n'
        "[pools.io]\nkind = 'thread'\ninitializer = 'good.missing'\n"
    )
    looked = [each for each in examine({"data": DATA}).findings if each.topic == "modules"]
    good, broken, leaving, nothing, initializer = looked
    assert [each.level for each in looked] == [Level.OK, *[Level.WRONG] * 4]
    assert "good: 1 function, imported" in good.text
    assert "ZeroDivisionError" in broken.text
    assert "broken.py:2" in broken.text
    assert "code 3" in leaving.text
    assert "No module named 'nothing'" in nothing.text
    assert "good.missing" in initializer.text
    assert not list(Path().rglob("__pycache__"))


def test_a_module_that_hangs_holds_the_doctor_up_for_a_bounded_time() -> None:
    Path("hanging.py").write_text("import time\ntime.sleep(600)\n")
    Path("pooldeck.toml").write_text('functions = ["hanging"]\nboot_seconds = 0.5\n')
    assert "longer than boot_seconds" in found("modules")


@pytest.mark.parametrize(
    ("variables", "topic", "level", "words"),
    [
        ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "proxy", Level.WRONG, "all addresses"),
        ({"TRUSTED_PROXIES": "10.0.0.1"}, "proxy", Level.LOOK, "allowed_hosts is not"),
        ({"ALLOWED_HOSTS": "deck.example"}, "proxy", Level.LOOK, "trusted_proxies is not"),
        ({"ROOT_PATH": "/deck"}, "proxy", Level.LOOK, "no proxy is listed"),
        ({"HOST": "0.0.0.0"}, "address", Level.LOOK, "plain HTTP"),
        ({"POOLS__CPU__SIZE": "64"}, "limits", Level.LOOK, "64 processes for"),
        ({"BACKUP__FOLDER": "copies"}, "backups", Level.LOOK, "there is none in copies"),
    ],
)
def test_settings_that_do_not_go_together_are_named(
    variables: dict[str, str],
    topic: str,
    level: Level,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POOLDECK_TOKEN", "a-token-of-the-tests-long-enough")
    for name, value in variables.items():
        monkeypatch.setenv(f"POOLDECK_{name}", value)
    assert words in found(topic, level)


@pytest.mark.parametrize(
    ("variables", "level", "words"),
    [
        ({}, Level.OK, "for the server's own user"),
        ({"ACCESS": "open"}, Level.LOOK, "every user and every program of this machine"),
        ({"ACCESS": "tokens"}, Level.OK, "with tokens"),
        ({"TRUSTED_PROXIES": "127.0.0.1"}, Level.LOOK, "shows a token or is let in by a link"),
    ],
)
def test_who_is_let_in_is_named_and_warned_of(
    variables: dict[str, str], level: Level, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"POOLDECK_{name}", value)
    assert words in found("address", level)


@contextmanager
def listening() -> Iterator[int]:
    """Listen, and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_that_another_program_has_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as port:
        monkeypatch.setenv("POOLDECK_PORT", str(port))
        assert "does not answer" in found("server")
    assert "is free" in found("server", Level.OK)
    lock = Lock.acquire(DATA / "pooldeck.lock")
    try:
        assert "nothing answers at" in found("server")
    finally:
        lock.release()


def test_the_file_system_is_that_of_the_nearest_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/a / ext4 rw 0 0\nserver:/x /srv/da\\040ta nfs4 rw 0 0\nnonsense\n")
    assert disk.file_system(Path("/srv/da ta/pooldeck"), mounts) == "nfs4"
    assert disk.file_system(Path("/srv"), mounts) == "ext4"
    assert disk.file_system(Path("/srv"), tmp_path / "nothing") is None


def test_versions_that_are_known_to_do_harm_are_named() -> None:
    said = found("versions", Level.LOOK)
    assert ("can corrupt" in said) is has_wal_bug(sqlite3.sqlite_version_info)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named() -> None:
    DATA.chmod(0o500)
    assert "cannot write to" in found("disk")
    DATA.chmod(0o700)


HOSTS = """
[hosts]
certificate = "server.pem"
key = "server.key"
[pools.big]
kind = "process"
size = 1
hosts = { engine = "manual" }
"""


def test_a_certificate_for_hosts_that_cannot_be_used_is_found() -> None:
    Path("pooldeck.toml").write_text(HOSTS)

    assert "[hosts] certificate server.pem with key server.key cannot be used" in found("hosts")


def test_a_key_for_hosts_that_others_can_read_is_found(tmp_path: Path) -> None:
    shown = Authority(tmp_path).sign("server")
    Path("pooldeck.toml").write_text(HOSTS)
    shown.key.chmod(0o644)

    assert "can read server.key, the private key" in found("hosts", Level.LOOK)
    assert "127.0.0.1:8790, for big, with TLS" in found("hosts", Level.OK)


def test_a_place_for_hosts_that_no_pool_uses_is_found() -> None:
    Path("pooldeck.toml").write_text("[hosts]\n")

    assert "no pool is on hosts" in found("hosts", Level.LOOK)
