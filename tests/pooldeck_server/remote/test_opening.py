"""`pooldeck open`: which page, by which address, and in which browser."""

import os
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.support.commands import Commands
from tests.support.no_tls import NO_TLS, PATIENCE
from tests.support.serving import COMMAND
from tests.support.waiting import eventually

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


def page(address: str) -> str:
    """Follow a link that logs in, and return the path that it leads to."""
    answer = httpx.get(address, follow_redirects=False, timeout=PATIENCE, verify=NO_TLS)
    assert answer.status_code == 303
    assert "set-cookie" in answer.headers
    return answer.headers["location"]


def test_what_is_printed_logs_a_browser_in_once_and_leads_to_the_page(pooldeck: Commands) -> None:
    task = pooldeck.server.submit("echo", 1).json()["id"]

    link = pooldeck("open", "task", task[:-2], "--print").out.strip()

    assert "/login?once=" in link
    assert page(link) == f"/tasks/{task}"
    assert "set-cookie" not in httpx.get(link, timeout=PATIENCE, verify=NO_TLS).headers


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ((), "/"),
        (("pools",), "/pools"),
        (("pool", "io"), "/pools#io"),
        (("function", "web_functions.add"), "/functions/web_functions.add"),
    ],
)
def test_a_page_is_named_by_what_it_shows(
    pooldeck: Commands, words: tuple[str, ...], path: str
) -> None:
    assert page(pooldeck("open", *words, "--json").json["url"]) == path


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nothing",), 2),
        (("task",), 2),
        (("pools", "io"), 2),
        (("pool", "no-such"), 1),
        (("task", "0" * 36), 1),
    ],
)
def test_what_there_is_not_is_said_in_one_line(
    pooldeck: Commands, words: tuple[str, ...], code: int
) -> None:
    said = pooldeck("open", *words, "--print")

    assert (said.code, said.out) == (code, "")
    [line] = said.err.splitlines()
    assert line.startswith("pooldeck: ")


def test_a_browser_gets_the_plain_address_where_the_server_knows_its_user(
    pooldeck: Commands, tmp_path: Path
) -> None:
    browser, seen = tmp_path / "browser", tmp_path / "seen"
    browser.write_text(f'#!/bin/sh\necho "$1" > {seen}.part; mv {seen}.part {seen}\n')
    browser.chmod(0o700)

    code = opened(pooldeck, {"BROWSER": str(browser)}).returncode

    assert code == 0
    eventually(seen.exists, "the browser was started")
    assert seen.read_text().strip() == f"{pooldeck.url}/pools"


def test_where_there_is_no_browser_the_address_is_said(pooldeck: Commands) -> None:
    done = opened(pooldeck, {})

    assert done.returncode == 1
    assert "there is no browser here" in done.stderr
    assert page(done.stdout.strip()) == "/pools"


def opened(pooldeck: Commands, screens: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if name not in SCREENS}
    return subprocess.run(
        [*COMMAND, "open", "pools", "--url", pooldeck.url],
        env=inherited | screens,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
