"""Where the files beside the code are: templates, static files, migrations."""

from pathlib import Path

from pooldeck_server.domain.errors import StartupError

_PACKAGE = Path(__file__).parent


def resource(name: str) -> Path:
    """Return the folder `name`: inside the package as installed, or beside it in a checkout.

    Raises:
        StartupError: If it is in neither place.
    """
    for folder in (_PACKAGE / name, _PACKAGE.parent.parent / name):
        if folder.is_dir():
            return folder
    raise StartupError(f"the folder {_PACKAGE / name} is missing; install pooldeck again")
