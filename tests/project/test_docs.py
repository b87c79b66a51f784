"""The documents say what is so: links lead somewhere, codes and kinds exist, examples run."""

import re
from configparser import ConfigParser
from itertools import zip_longest
from pathlib import Path

import pytest

from pooldeck.outcome import ErrorKind
from pooldeck.pools.model import PoolState
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.settings import PoolSettings, Settings
from tests import ROOT
from tests.support.serving import serving

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_within_the_repository_lead_somewhere(document: Path) -> None:
    links = re.findall(r"(?<!!)\[[^\]]*\]\(([^)#]+)\)", document.read_text())

    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (document.parent / link).exists()] == []


def headings(document: Path) -> set[str]:
    """Return what a link may name behind `#`, as GitHub makes it of headings."""
    found = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_to_headings_lead_to_one(document: Path) -> None:
    links = re.findall(r"(?<!!)\[[^\]]*\]\(([^):]*)#([^)]+)\)", document.read_text())

    targets = [(document.parent / path if path else document, heading) for path, heading in links]
    assert [target for target in targets if target[1] not in headings(target[0])] == []


def test_the_api_page_lists_every_code_that_a_caller_can_meet() -> None:
    codes = {error.code for error in PooldeckError.__subclasses__()}
    table = (ROOT / "docs" / "api.md").read_text().partition("| status | `code` |")[2]

    assert set(re.findall(r"`([a-z_]+)`", table)) == codes


def test_the_glossary_explains_every_kind_of_error() -> None:
    table = (ROOT / "docs" / "glossary.md").read_text().partition("| `error.kind` |")[2]

    assert set(re.findall(r"`([a-z_]+)`", table)) == set(ErrorKind)


def test_each_part_of_the_program_in_the_glossary_is_a_module() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    table = glossary.partition("| part | what it owns |")[2].partition("\n\n")[0]
    parts = re.findall(r"^\| ([a-z_]+) \|", table, re.MULTILINE)
    modules = {path.stem for name in ("app", "pooldeck") for path in (ROOT / name).rglob("*.py")}

    assert len(parts) > 20
    assert [part for part in parts if part not in modules] == []


def settings_in(document: str, heading: str) -> list[tuple[str, str]]:
    """Return the settings of a document's table, each with the default that stands beside it."""
    table = (ROOT / document).read_text().partition(heading)[2].split("\n\n")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines()[2:]]
    return [
        (name, default.strip().strip("`"))
        for names, defaults in rows
        for name, default in zip_longest(
            re.findall(r"`([\w.]+)`", names), defaults.split(","), fillvalue=""
        )
    ]


def test_the_settings_of_the_operations_page_exist_and_have_these_defaults() -> None:
    settings, pool = Settings(), PoolSettings(kind="process", spare=1)
    named = settings_in("docs/operations.md", "| setting | default | |")

    assert len(named) > 5
    for name, default in named:
        holder = pool if name.startswith("pools.NAME.") else settings
        held = f"{getattr(holder, name.rpartition('.')[2])}"
        assert held in {default, f"{default}.0", default.capitalize()}, name
    assert pool.spares == PoolSettings(kind="process").spares


def test_the_operations_page_explains_every_state_of_a_pool() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    table = page.partition("## States of a pool\n\n")[2].partition("\n\n")[0]

    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(PoolState)


def test_the_figures_of_the_operations_page_exist(tmp_path: Path) -> None:
    named = set(re.findall(r"pooldeck_\w+", (ROOT / "docs" / "operations.md").read_text()))

    with serving(tmp_path) as server:
        figures = server.client.get("/metrics").text

    assert {"pooldeck_pool_up", "pooldeck_reruns_total"} <= named
    assert [name for name in named if f"# HELP {name} " not in figures] == []


def test_the_first_functions_of_the_readme_run(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    [module] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (tmp_path / "jobs.py").write_text(module)

    with serving(tmp_path, "--functions", "jobs") as server:
        server.wait_until_ready()
        downloaded = server.run("jobs.download", f"{server.client.base_url}/healthz", "saved")
        hashed = server.run("jobs.hash_passwords", ["secret", "secret"])

    assert (downloaded["state"], downloaded["pool"]) == ("succeeded", "io"), downloaded["error"]
    assert downloaded["result"] == (tmp_path / "saved").stat().st_size > 0
    assert (hashed["state"], hashed["pool"]) == ("succeeded", "cpu"), hashed["error"]
    assert len(set(hashed["result"])) == 1


def test_the_unit_for_systemd_leaves_the_ends_of_workers_to_the_server_and_gives_it_time() -> None:
    unit = ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names of settings have capitals
    unit.read(ROOT / "docs" / "systemd" / "pooldeck.service")
    service = unit["Service"]

    assert service["KillMode"] == "mixed"
    assert int(service["TimeoutStopSec"]) >= Settings().grace_seconds + 5
    assert service["OOMPolicy"] == "continue"
    arguments = service["ExecStart"].split()[1:]
    assert arguments[0] == "serve"
