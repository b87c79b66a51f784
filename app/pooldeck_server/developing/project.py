"""What is served: a module of functions, and the folder that it is imported from."""

from pathlib import Path
from typing import Final, Self

from msgspec import Struct

from pooldeck_server.command_line.complaint import WRONG, Complaint

SETTINGS: Final = "pooldeck.toml"
_PACKAGE: Final = "__init__.py"


class Project(Struct, frozen=True):
    """A module, None for those that the settings name, and the folder where workers find it."""

    folder: Path
    module: str | None

    @classmethod
    def of(cls, named: str | None) -> Self:
        """Return what is meant by a file, the name of a module, or nothing.

        Raises:
            Complaint: If there is no such file, or none that can be imported; or no settings.
        """
        here = Path.cwd()
        if named is None:
            if not (here / SETTINGS).is_file():
                raise Complaint(
                    f"say which file to serve, as in `pooldeck dev jobs.py`: no {SETTINGS} "
                    "is here that names one",
                    exit_code=WRONG,
                )
            return cls(here, None)
        if _is_name(named):
            return cls(here, named)
        return cls(*_placed(Path(named)))

    @property
    def title(self) -> str:
        """What is served, in words."""
        return self.module or f"what {SETTINGS} names"


def _is_name(named: str) -> bool:
    is_file = named.endswith(".py") or Path(named).exists()
    return not is_file and all(part.isidentifier() for part in named.split("."))


def _placed(path: Path) -> tuple[Path, str]:
    """Return the folder from which a file is imported, and its name from there."""
    if not path.is_file() or path.suffix != ".py":
        raise Complaint(
            f"{path} is neither a Python file nor the name of a module", exit_code=WRONG
        )
    file = path.resolve()
    names = [] if file.name == _PACKAGE else [file.stem]
    folder = file.parent
    while (folder / _PACKAGE).is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    if not all(name.isidentifier() for name in names):
        raise Complaint(
            f"{path} cannot be imported as {'.'.join(names)}: name it by letters, digits and _",
            exit_code=WRONG,
        )
    return folder, ".".join(names)
