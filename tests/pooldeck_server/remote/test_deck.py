"""Pools, functions, failures and advice on the command line, and what `pooldeck` alone says."""

import signal
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pooldeck.client import Client
from pooldeck.client.errors import NotReachable
from pooldeck_server.cli import main
from tests.support.commands import Commands
from tests.support.waiting import eventually


def test_alone_it_says_where_the_server_is_what_runs_and_what_is_next(pooldeck: Commands) -> None:
    said = pooldeck("status")

    assert said.code == 0
    assert f"is at {pooldeck.url} since" in said.out
    assert "pooldeck submit" in said.out
    assert "stray" not in said.err
    assert {each["name"] for each in pooldeck("status", "--json").json["pools"]} == {
        *("cpu", "io", "solo")
    }


def test_where_nothing_answers_it_says_how_to_begin(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLDECK_URL", "http://127.0.0.1:1")

    assert main([]) == 3

    said = capfd.readouterr()
    assert said.err == ""
    assert "No server answers at http://127.0.0.1:1 (address: POOLDECK_URL)." in said.out
    assert "pooldeck serve --functions" in said.out


@pytest.mark.parametrize("arguments", [("pools",), ("submit", "f"), ("tasks",), ("logs", "x" * 36)])
def test_commands_that_reach_no_server_end_with_code_3_and_one_line(
    capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert main([*arguments, "--url", "http://127.0.0.1:1"]) == 3

    [line] = capfd.readouterr().err.splitlines()
    assert line.startswith("pooldeck: no server answers at http://127.0.0.1:1 ")


class Stranger(BaseHTTPRequestHandler):
    """Something else that listens on the port of a server."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("command", ["status", "pools", "tasks"])
def test_what_answers_and_is_no_pooldeck_is_said_to_be_none(
    capfd: pytest.CaptureFixture[str], command: str
) -> None:
    with HTTPServer(("127.0.0.1", 0), Stranger) as stranger:
        threading.Thread(target=stranger.handle_request).start()

        assert main([command, "--url", f"http://127.0.0.1:{stranger.server_port}"]) == 3

    [line] = capfd.readouterr().err.splitlines()
    assert line.endswith("is no Pooldeck: it sends no JSON")


def test_where_no_https_is_spoken_http_is_named(
    pooldeck: Commands, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotReachable, match="try http:"), Client(_secure(pooldeck)) as client:
        client.request("GET", "/pools")

    assert main(["pools", "--url", _secure(pooldeck)]) == 3
    [line] = capfd.readouterr().err.splitlines()
    assert "does not speak https" in line
    assert line.endswith(f": try {pooldeck.url}")


def _secure(pooldeck: Commands) -> str:
    return pooldeck.url.replace("http:", "https:")


@pytest.mark.parametrize("url", ["", "nonsense", "http://", "ftp://127.0.0.1", "http://[::1"])
def test_what_is_no_address_is_said_to_be_none(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("POOLDECK_URL", url)

    assert main(["pools"]) == 2

    [line] = capfd.readouterr().err.splitlines()
    assert line.startswith("pooldeck: ")


def test_a_profile_says_where_the_server_is(
    pooldeck: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pooldeck"
    folder.mkdir()
    (folder / "profiles.toml").write_text(f"[work]\nurl = '{pooldeck.url}'\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    assert main(["pools", "--profile", "work"]) == 0
    assert main(["pools", "--profile", "play"]) == 2


def test_a_pool_is_resized_paused_and_resumed(pooldeck: Commands) -> None:
    assert pooldeck("resize", "io", "3", "--reason", "more").out == "io has 3 slots\n"
    assert pooldeck("pause", "io", "--json").json["state"] == "paused"
    [line] = [each for each in pooldeck("pools").out.splitlines() if each.startswith("io")]
    assert line.split()[:5] == ["io", "thread", "paused", "0", "3"]
    assert "the pool io is paused" in pooldeck("status").out
    assert pooldeck("resume", "io").out == "io goes on\n"
    assert pooldeck("resize", "io", "2", "--json").json["size"] == 2
    assert pooldeck("resize", "io", "0").code == 2
    assert pooldeck("resize", "nowhere", "1").code == 1
    assert "--hosts N" in pooldeck("resize", "io").err
    assert "lives on the server's own machine" in pooldeck("resize", "io", "--hosts", "2").err
    assert pooldeck("pause", "../pools/io").code == 1


def test_a_function_is_held_and_paused_and_goes_on(pooldeck: Commands) -> None:
    name = "web_functions.add"
    assert pooldeck("pause-function", name, "--reason", "vendor").out == f"{name} is paused\n"
    assert "paused" in next(each for each in pooldeck("functions").out.splitlines() if name in each)
    shown = pooldeck("function", name).out
    assert "paused since" in shown
    assert ": vendor" in shown
    assert pooldeck("resume-function", name).out == f"{name} goes on\n"
    assert pooldeck("hold", name, "--json").json["hold"]["kind"] == "hand"
    assert pooldeck("resume-function", name).code == 1
    assert pooldeck("release", name).out == f"{name} is released\n"
    assert pooldeck("release", name).code == 1


def test_a_restart_is_over_when_all_workers_are_new(pooldeck: Commands) -> None:
    before = {each["id"] for each in pool(pooldeck)["workers"]}

    assert pooldeck("restart", "cpu", "--wait").out == "cpu has replaced its workers\n"

    assert not before & {each["id"] for each in pool(pooldeck)["workers"]}


def pool(pooldeck: Commands) -> dict[str, list[dict[str, str]]]:
    items = pooldeck("pools", "--json").json["items"]
    found: dict[str, list[dict[str, str]]] = next(each for each in items if each["name"] == "cpu")
    return found


def test_functions_are_listed_and_shown(pooldeck: Commands) -> None:
    said = pooldeck("functions").out
    assert any(line.split()[:2] == ["web_functions.add", "cpu"] for line in said.splitlines())

    shown = pooldeck("function", "web_functions.add").out
    assert shown.startswith("web_functions.add(a: int, b: int = 2) -> int\n\nAdd two integers.\n")
    assert "no pool" in pooldeck("function", "web_functions.stray").out
    assert pooldeck("function", "web_functions.add", "--json").json["pool"] == "cpu"
    assert pooldeck("function", "web_functions.nothing").code == 1


def test_an_experiment_without_samples_is_refused_with_what_to_say(pooldeck: Commands) -> None:
    said = pooldeck("tune", "web_functions.fail")

    assert said.code == 4
    assert "pooldeck tune web_functions.fail --sample '[1, 2]'" in said.err


def test_failures_are_listed_in_groups_whose_tasks_can_be_listed(pooldeck: Commands) -> None:
    pooldeck("submit", "web_functions.fail", "lost 3 of 7", "--wait")

    eventually(lambda: "ValueError: lost # of #" in pooldeck("errors").out, "a group is there")
    [group] = pooldeck("errors", "--function", "web_functions.fail", "--json").json["items"]
    [task] = pooldeck("tasks", "--group", group["id"], "--json").json_lines()
    assert task["error"]["message"] == "lost 3 of 7"
    assert pooldeck("errors", "--state", "muted").out == "nothing has failed\n"


def test_a_death_of_a_worker_is_listed_with_its_culprit(pooldeck: Commands) -> None:
    assert pooldeck("incidents", "--pool", "io").out == "no worker has died\n"

    assert pooldeck("submit", "web_functions.die", str(int(signal.SIGKILL)), "--wait").code == 1

    said = pooldeck("incidents").out
    assert "SIGKILL" in said
    assert "web_functions.die" in said


def test_advice_says_what_measurements_mean_of_one_function_or_that_nothing_is_wrong(
    pooldeck: Commands,
) -> None:
    assert pooldeck("advice").code == 0
    said = pooldeck("advice", "web_functions.add")
    assert said.code == 0
    assert said.out.startswith("web_functions.add: ")
    assert pooldeck("advice", "web_functions.add", "--json").json["function"] == "web_functions.add"
