"""The files that pages load, under an address that changes with their content.

All of them share one version, part of the path, so that ES modules reach one another by relative
imports and every answer may be kept by browsers for as long as they like.
"""

import hashlib
from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from app.resources import resource


def install(app: FastAPI) -> None:
    """Serve the folder `static` in `app`; its address stands in `app.state.static_path`."""
    folder = resource("static")
    app.state.static_path = f"/static/{_version(folder)}"
    app.mount(app.state.static_path, StaticFiles(directory=folder), name="static")


def _version(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
