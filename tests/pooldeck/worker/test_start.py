"""A worker finds Pooldeck and its libraries first, and user modules where they always were."""

from pathlib import Path

import pytest

from pooldeck.worker.start import own_path
from tests.support.driven import DrivenWorker

OWN = ["/lib/python3.zip", "/lib/python3", "/site-packages"]


def test_what_pythonpath_names_comes_last_while_pooldeck_is_imported() -> None:
    path = ["/theirs", "/more", *OWN]

    assert own_path(path, "/theirs:/more/", "/site-packages") == [*OWN, "/theirs", "/more"]


def test_a_pooldeck_that_only_pythonpath_names_is_found_before_any_other() -> None:
    path = ["/other", "/checkout", *OWN]

    assert own_path(path, "/other:/checkout", "/checkout") == ["/checkout", *OWN, *path[:2]]


def test_user_code_sees_the_working_directory_and_then_pythonpath(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    for name in ("pooldeck", "msgspec", "types", "enum", "helper"):
        (elsewhere / name).mkdir(parents=True)
        (elsewhere / name / "__init__.py").write_text(f"assert __name__ == 'helper', {name!r}\n")
    monkeypatch.setenv("PYTHONPATH", f"{elsewhere}:{tmp_path / 'nowhere'}")
    source = """
        import sys
        import types
        import helper

        @task
        def seen():
            return [sys.path[:3], helper.__file__]
    """

    with DrivenWorker(tmp_path, source) as worker:
        path, helper = worker.run("seen").result

    assert path == [str(tmp_path), str(elsewhere), str(tmp_path / "nowhere")]
    assert helper == str(elsewhere / "helper" / "__init__.py")
