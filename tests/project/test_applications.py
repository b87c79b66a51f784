"""The examples of docs/applications.md and docs/testing.md run as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT

_FILE = re.compile(r"`([\w.]+)`:\n\n```(?:python|toml)\n(.*?)```", re.DOTALL)


def write_files(page: str, folder: Path) -> None:
    for name, text in _FILE.findall((ROOT / "docs" / page).read_text()):
        (folder / name).write_text(text)


def said(folder: Path, *command: str, given: str | None = None) -> str:
    """Run Python in a folder and return what it says."""
    completed = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


@pytest.fixture
def applications(tmp_path: Path) -> Path:
    write_files("applications.md", tmp_path)
    return tmp_path


def test_the_script_has_its_server_and_its_results(applications: Path) -> None:
    assert said(applications, "report.py") == "[0, 1, 4, 9, 16]\n144\n"


def test_the_notebook_has_its_server_and_its_results(applications: Path) -> None:
    cell = (applications / "cell.py").read_text()
    assert said(applications, "-", given=cell) == "[1, 2, 3]\n"  # no file, as in a notebook


_SHOP = """
import pooldeck, shop, jobs
from fastapi.testclient import TestClient
with TestClient(shop.app) as http, shop.deck.client() as client:
    assert http.post("/orders", params={"address": "ada"}).json() == {"state": "ordered"}
    [task] = client.tasks()
    print(client.future(task["id"]).result(60))
    print(http.get("/deck/").status_code)
    http.cookies["session"] = "that of an admin"
    print("<title>" in http.get("/deck/").text)
"""


def test_the_app_of_fastapi_takes_orders_and_shows_its_deck_to_admins(applications: Path) -> None:
    found = said(applications, "-c", _SHOP)
    assert found == "9 characters to ada\n403\nTrue\n"


_FLASK = """
import jobs
from pooldeck import Server
from pooldeck.client import use
from flask_shop import app
if __name__ == "__main__":
    with Server(jobs) as server, server.client() as client:
        use(client)
        task = app.test_client().post("/orders/ada").json["task"]
        print(client.future(task).result(60))
"""


def test_the_app_of_flask_takes_orders(applications: Path) -> None:
    pytest.importorskip("flask")
    (applications / "try_flask.py").write_text(_FLASK)
    assert said(applications, "try_flask.py") == "9 characters to ada\n"


_DJANGO = """
import django
from django.conf import settings
databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
settings.configure(DATABASES=databases, ALLOWED_HOSTS=["*"])
django.setup()
import pytest
from django.db import transaction
from django.test import RequestFactory
import views

def order():
    return views.order(RequestFactory().get("/order", {"address": "ada"}))

def test_order(deck_inline):
    with transaction.atomic():
        order()
        assert deck_inline.tasks == []
    assert deck_inline.tasks[0]["result"] == "9 characters to ada"

def test_rolled_back(deck_inline):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        order()
        1 / 0
    assert deck_inline.tasks == []
"""


def test_the_view_of_django_submits_when_its_transaction_commits(applications: Path) -> None:
    pytest.importorskip("django")
    (applications / "test_django.py").write_text(_DJANGO)
    assert "2 passed" in said(applications, "-m", "pytest", "-q", "test_django.py")


def test_the_tests_of_the_testing_page_pass(tmp_path: Path) -> None:
    write_files("testing.md", tmp_path)
    assert "4 passed" in said(tmp_path, "-m", "pytest", "-q", "--strict-markers")
