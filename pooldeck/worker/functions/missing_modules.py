"""What to do about a module that is not found: a hint, made of where one would look for it."""

from pathlib import Path

from msgspec import structs

from pooldeck.outcome import Error

_SOURCES = "src"


def with_hint(error: Error, exception: BaseException, module: str) -> Error:
    """Return the error of a module's import, with a hint where the module itself was not found."""
    name = getattr(exception, "name", None) if isinstance(exception, ModuleNotFoundError) else None
    if not isinstance(name, str) or not f"{module}.".startswith(f"{name}."):
        return error
    return structs.replace(error, message=f"{error.message}{_hint(name)}")


def _hint(name: str) -> str:
    path = Path(_SOURCES, *name.split("."))
    for found in (path.with_name(f"{path.name}.py"), path):
        if found.exists():
            return (
                f"; there is {found}: install the project in the environment of the server (pip "
                f"install -e .), or start the server with PYTHONPATH={_SOURCES}"
            )
    return "; workers look in the folder that the server was started in, and on PYTHONPATH"
