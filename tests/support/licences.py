"""Writes docs/licences.md: what an installation of the server brings along, and its licences."""

import re
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hatch_build import VENDORED
from tests import ROOT

PAGE: Final = ROOT / "docs" / "licences.md"
_EXTRAS: Final = ("server", "images")
_HEAD: Final = """\
# Licences

Pooldeck is under the MIT licence. `pip install 'pooldeck[server,images]'` brings these along,
unchanged; the licences are those that they declare themselves. `make licences` writes this page,
and a test holds it against what is installed.

| distribution | licence | comes with |
| --- | --- | --- |
"""
_TAIL: Final = """
The wheel of Pooldeck has one part from elsewhere in it: uPlot (MIT), whose licence lies beside it
as `{licence}`. What only development needs is in `requirements/dev.txt` and is not delivered.
"""
_OLD_WORDS: Final = {"Apache Software License": "Apache-2.0", "MIT License": "MIT"}


def write_page(page: Path = PAGE) -> None:
    rows = [
        f"| {name} | {licence(distribution(name))} | {of} |"
        for name, of in sorted(brought_along().items())
    ]
    [text] = [name for name in VENDORED.values() if "LICENSE" in name]
    page.write_text(_HEAD + "\n".join(rows) + "\n" + _TAIL.format(licence=text))


def brought_along() -> dict[str, str]:
    """Return the distributions that an installation needs, and what asks for each first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting = [("pooldeck", line) for line in project["dependencies"]]
    for extra in _EXTRAS:
        lines = project["optional-dependencies"][extra]
        waiting += [(f"`pooldeck[{extra}]`", line) for line in lines]
    found: dict[str, str] = {}
    while waiting:
        of, line = waiting.pop(0)
        requirement = Requirement(line)
        name = canonicalize_name(requirement.name)
        if name not in found:
            found[name] = of
            waiting += [(name, each) for each in _needs(distribution(name), requirement.extras)]
    return found


def _needs(of: Distribution, extras: set[str]) -> list[str]:
    return [line for line in of.requires or () if _applies(Requirement(line), extras)]


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": each}) for each in ("", *extras))


def licence(of: Distribution) -> str:
    """Return what a distribution declares: an expression, or what it said before there were any."""
    [expression] = of.metadata.get_all("License-Expression") or [""]
    declared = expression or _classified(of) or of.metadata["License"]
    return declared.splitlines()[0]


def _classified(of: Distribution) -> str:
    classifiers = of.metadata.get_all("Classifier") or ()
    found = [re.sub(r".* :: ", "", each) for each in classifiers if each.startswith("License ::")]
    return " or ".join(_OLD_WORDS.get(each, each) for each in found if each != "OSI Approved")


if __name__ == "__main__":
    write_page()
