"""Work on files: reading them is waiting, and hashlib lets other threads run meanwhile."""

import hashlib
import zipfile
from pathlib import Path
from typing import TypedDict

from pooldeck import current_task, task


class Archive(TypedDict):
    """What `compress_folder` made."""

    archive: str
    files: int
    bytes_before: int
    bytes_after: int


@task(pool="io")
def hash_folder(folder: str = "examples/data") -> dict[str, str]:
    """Compute the SHA-256 of every file below a folder.

    Args:
        folder: Where to look, relative to the directory that the server was started in.

    Returns:
        Path → checksum in hexadecimal digits.
    """
    root = Path(folder)
    files = _files_below(root)
    checksums = {}
    for done, path in enumerate(files, start=1):
        with path.open("rb") as file:
            checksums[str(path.relative_to(root))] = hashlib.file_digest(file, "sha256").hexdigest()
        current_task().progress(done / len(files), path.name)
    return checksums


@task(pool="cpu")
def compress_folder(
    folder: str = "examples/data", archive: str = "examples/data/all.zip"
) -> Archive:
    """Pack every file below a folder into a zip file.

    Args:
        folder: What to pack.
        archive: The zip file to write; an older one is replaced.
    """
    root, target = Path(folder), Path(archive)
    files = [path for path in _files_below(root) if path != target]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for done, path in enumerate(files, start=1):
            packed.write(path, path.relative_to(root))
            current_task().progress(done / len(files), path.name)
    return {
        "archive": str(target),
        "files": len(files),
        "bytes_before": sum(path.stat().st_size for path in files),
        "bytes_after": target.stat().st_size,
    }


def _files_below(root: Path) -> list[Path]:
    if not root.is_dir():
        raise NotADirectoryError(f"{root} is no folder; `make run` fills examples/data")
    return sorted(path for path in root.rglob("*") if path.is_file())
