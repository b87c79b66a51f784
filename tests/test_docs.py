"""The documents say what is so: links lead somewhere, codes and kinds exist, examples run."""

import re
from pathlib import Path

import pytest
from serving import serving

from app.domain.errors import PooldeckError
from pooldeck.outcome import ErrorKind

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_within_the_repository_lead_somewhere(document: Path) -> None:
    links = re.findall(r"(?<!!)\[[^\]]*\]\(([^)#]+)\)", document.read_text())

    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (document.parent / link).exists()] == []


def test_the_api_page_lists_every_code_that_a_caller_can_meet() -> None:
    codes = {error.code for error in PooldeckError.__subclasses__()}
    table = (ROOT / "docs" / "api.md").read_text().partition("| status | `code` |")[2]

    assert set(re.findall(r"`([a-z_]+)`", table)) == codes


def test_the_glossary_explains_every_kind_of_error() -> None:
    table = (ROOT / "docs" / "glossary.md").read_text().partition("| `error.kind` |")[2]

    assert set(re.findall(r"`([a-z_]+)`", table)) == set(ErrorKind)


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
