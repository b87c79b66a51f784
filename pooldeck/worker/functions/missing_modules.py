"""What to do about a module that is not found: a hint, made of where one would look for it."""

from pathlib import Path

from msgspec import structs

from pooldeck.outcome import Error

_SOURCES = "src"


def with_hint(error: Error, exception: BaseException, module: str, worker: str) -> Error:
    """Return the error of a module's import, with a hint where the module itself was not found.

    Args:
        error: What is said of it.
        exception: What the import has raised.
        module: What was imported.
        worker: The id of the worker that did it, "POOL@HOST.BOOT-NUMBER" on a host.
    """
    name = getattr(exception, "name", None) if isinstance(exception, ModuleNotFoundError) else None
    if not isinstance(name, str) or not f"{module}.".startswith(f"{name}."):
        return error
    return structs.replace(error, message=f"{error.message}{_hint(name, worker)}")


def _hint(name: str, worker: str) -> str:
    _, _, place = worker.partition("@")
    host = place.rpartition(".")[0]
    path = Path(_SOURCES, *name.split("."))
    for found in (path.with_name(f"{path.name}.py"), path):
        if found.exists():
            what = f"host {host}" if host else "server"
            return (
                f"; there is {found}: install the project in the environment of the {what} (pip "
                f"install -e .), or start the {what} with PYTHONPATH={_SOURCES}"
            )
    if host:
        return (
            f"; workers of the host {host} look in the folder that it was started in, where its "
            "--path says, and on PYTHONPATH"
        )
    return "; workers look in the folder that the server was started in, and on PYTHONPATH"
