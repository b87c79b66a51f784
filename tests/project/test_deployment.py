"""The unit, the image and the compose file fit each other, the settings, and what systemd knows."""

import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from pooldeck_server.domain.notices import Need
from pooldeck_server.settings import Settings, check_variables
from tests import ROOT

UNIT = ROOT / "docs" / "systemd" / "pooldeck.service"
TOKEN = "a-token-of-the-tests-long-enough"


def verified(folder: Path, text: str) -> list[str]:
    """Return what systemd says of a unit, whose program is not installed here."""
    unit = folder / "pooldeck.service"
    unit.write_text(text.replace("/opt/pooldeck/bin/pooldeck", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    said = done.stdout + done.stderr
    found = [line for line in said.splitlines() if unit.name in line]
    return found or ([said] if done.returncode else [])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    text = UNIT.read_text()
    assert verified(tmp_path, text) == []
    assert verified(tmp_path, text.replace("KillMode=mixed", "KillMode=gently"))


def unit() -> dict[str, str]:
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names have capitals
    parser.read(UNIT)
    return dict(parser["Service"])


def test_the_unit_waits_for_the_word_of_the_server_and_gives_it_time() -> None:
    service, settings = unit(), Settings()
    assert service["Type"] == "notify"
    assert service["NotifyAccess"] == "main"
    assert int(service["WatchdogSec"]) >= 60
    assert int(service["TimeoutStopSec"]) >= settings.grace_seconds + 5
    assert int(service["LimitNOFILE"]) * 3 // 4 >= settings.limits.connections
    assert service["Restart"] == "on-failure"
    assert "AF_UNIX" in service["RestrictAddressFamilies"].split()
    assert "MemoryDenyWriteExecute" not in service


def compose() -> dict[str, Any]:
    file = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    service: dict[str, Any] = file["services"]["pooldeck"]
    return service


def instructions(name: str, file: Path = ROOT / "Dockerfile") -> list[str]:
    text = file.read_text().replace("\\\n", " ")
    return re.findall(rf"^{name} (.*)$", text, re.MULTILINE)


def test_the_container_has_no_rights_and_bounds_and_time_to_end() -> None:
    service, settings = compose(), Settings()
    assert service["read_only"] is True
    assert [each.partition(":")[0] for each in service["tmpfs"]] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "cpus", "pids_limit"} <= service.keys()
    assert service["ulimits"]["nofile"] * 3 // 4 >= settings.limits.connections
    assert int(service["stop_grace_period"].removesuffix("s")) >= settings.grace_seconds + 5
    for file in (ROOT / "Dockerfile", ROOT / "examples" / "deploy" / "Dockerfile"):
        assert instructions("USER", file)[-1] == "10001:10001"


def test_the_compose_file_and_the_image_speak_of_the_same_places_and_settings() -> None:
    service, settings = compose(), Settings()
    given = {name: value or "x" for name, value in service["environment"].items()}
    check_variables(given | {"POOLDECK_TOKEN": TOKEN})
    variables = dict(part.split("=", 1) for part in " ".join(instructions("ENV")).split())
    check_variables(variables)
    assert instructions("EXPOSE") == [str(settings.port)]
    assert service["ports"] == [f"127.0.0.1:{settings.port}:{settings.port}"]
    places = [each.split(":")[1] for each in service["volumes"]]
    assert places == [variables["POOLDECK_DATA"], instructions("WORKDIR")[-1]]
    for check in (instructions("HEALTHCHECK")[0], " ".join(service["healthcheck"]["test"])):
        assert f"http://127.0.0.1:{settings.port}/healthz" in check


def test_each_notice_has_a_section() -> None:
    page = (ROOT / "docs" / "notices.md").read_text()
    headings = re.findall(r"^## `(\w+)`", page, re.MULTILINE)
    assert sorted(headings) == sorted(Need)
    assert all(
        "**To do.**" in section for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    )
