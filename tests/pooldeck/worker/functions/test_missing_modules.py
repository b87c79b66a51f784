"""A module that is not found: where workers look, and what to do about it."""

from pathlib import Path

import pytest

from pooldeck.outcome import Error, ErrorKind
from pooldeck.worker.functions.missing_modules import with_hint


def message(module: str, missing: str, worker: str = "cpu-1") -> str:
    error = Error(ErrorKind.EXCEPTION, "ModuleNotFoundError", "No module.")
    exception = ModuleNotFoundError(name=missing)
    return with_hint(error, exception, module, worker).message


@pytest.mark.parametrize(
    ("path", "module", "missing"),
    [
        ("src/jobs.py", "jobs", "jobs"),
        ("src/shop/__init__.py", "shop.selling", "shop"),
        ("src/shop/selling.py", "shop.selling", "shop.selling"),
    ],
)
def test_a_module_in_src_is_pointed_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, module: str, missing: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(path).parent.mkdir(parents=True)
    Path(path).touch()
    assert "; there is src/" in message(module, missing)
    assert "PYTHONPATH=src" in message(module, missing)


def test_elsewhere_it_is_said_where_workers_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message("jobs", "jobs").endswith("the server was started in, and on PYTHONPATH")


def test_of_a_host_it_is_said_where_its_workers_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    on_host = message("jobs", "jobs", "big@node.1.ab12cd-3")
    assert "; workers of the host node.1 look in the folder that it was started in" in on_host
    assert "--path" in on_host
    Path("src").mkdir()
    Path("src/jobs.py").touch()
    assert "the environment of the host node.1 " in message("jobs", "jobs", "big@node.1.ab12cd-3")


def test_of_what_a_module_itself_lacks_nothing_is_added() -> None:
    assert message("jobs", "numpy") == "No module."
    assert message("jobs", "jobs_of_others") == "No module."
