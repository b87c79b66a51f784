"""Which files of a project have changed, as they change."""

from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Final, Self

from msgspec import Struct
from watchfiles import Change, DefaultFilter, watch

from pooldeck_server.developing.project import SETTINGS, Project

_DEBOUNCE: Final = 300  # milliseconds in which changes count as one: an editor writes several
_STOPS: Final = 100  # milliseconds after which an end is noticed, at the latest
_LOOK: Final = 0.5  # seconds
_CODE: Final = ".py"


class Changes(Struct, frozen=True):
    """Files that have changed, by their names in the project; none if it was quiet."""

    files: tuple[str, ...] = ()

    @property
    def are_settings(self) -> bool:
        return SETTINGS in self.files


class Watcher:
    """Watches a project on a thread, so that no change is missed while another is dealt with.

    Use it as a context manager.
    """

    def __init__(self, project: Project, data: Path) -> None:
        self._folder = project.folder
        self._files = _Files(project.folder, data)
        self._found: SimpleQueue[Changes | OSError] = SimpleQueue()
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def next(self) -> Changes:
        """Return what has changed, or nothing after half a second, so that the caller may look.

        Raises:
            OSError: If the system does not watch the folder; that is said once.
        """
        try:
            found = self._found.get(timeout=_LOOK)
        except Empty:
            return Changes()
        if isinstance(found, OSError):
            raise found
        return found

    def _run(self) -> None:
        try:
            for found in watch(
                self._folder,
                watch_filter=self._files,
                debounce=_DEBOUNCE,
                rust_timeout=_STOPS,
                stop_event=self._stop,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                self._found.put(self._named(found))
        except OSError as error:
            self._found.put(error)

    def _named(self, found: set[tuple[Change, str]]) -> Changes:
        names = {str(Path(path).relative_to(self._folder)) for _, path in found}
        return Changes(tuple(sorted(names)))


class _Files(DefaultFilter):
    """Lets through Python files and the settings, but for those that are not the project's own."""

    def __init__(self, folder: Path, data: Path) -> None:
        others = [str(path.parent) for path in folder.glob("*/pyvenv.cfg")]
        super().__init__(ignore_paths=[str(data), *others])
        self._settings = str(folder / SETTINGS)

    def __call__(self, change: Change, path: str) -> bool:
        return (path.endswith(_CODE) or path == self._settings) and super().__call__(change, path)
