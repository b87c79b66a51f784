"""A session of `pooldeck dev`: a server, and what is done as files change, until it is ended."""

from collections.abc import Callable
from typing import Final, TypeAlias

from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.developing.changes import Changes, Watcher
from pooldeck_server.developing.ends import TaskEnds
from pooldeck_server.developing.loading import reload, say_what_is_loaded
from pooldeck_server.developing.screen import DevScreen
from pooldeck_server.developing.server import DevServer, Wanted
from pooldeck_server.remote.opening import show
from pooldeck_server.remote.server import RemoteServer, ServerError

_Step: TypeAlias = Callable[[RemoteServer, DevScreen], None]
_SHOWN: Final = 3  # names of changed files


class DevSession:
    """Serves a project until it is interrupted."""

    def __init__(
        self, wanted: Wanted, server: DevServer, watcher: Watcher, screen: DevScreen
    ) -> None:
        self._wanted, self._server, self._screen = wanted, server, screen
        self._watcher = watcher
        self._ends = TaskEnds(screen)
        self._remote: RemoteServer | None = None

    def run(self, *, opens: bool) -> int:
        """Serve, and go on until Ctrl-C; return early with an exit code if no start succeeds."""
        remote = self._start()
        if remote is None:
            return self._server.exit_code or 1
        if opens and not show(remote, "/"):
            self._screen.say(f"open {remote.url} in a browser")
        self._look(say_what_is_loaded)
        while True:
            self._follow(self._next())

    def close(self) -> None:
        """Let go of the server."""
        if self._remote is not None:
            self._remote.__exit__()
            self._remote = None

    def _next(self) -> Changes:
        try:
            return self._watcher.next()
        except OSError as error:
            words = f"changes are not noticed ({error}): end this by Ctrl-C, and start it again"
            self._screen.say(words, is_bad=True)
            return Changes()

    def _start(self) -> RemoteServer | None:
        address = self._server.start()
        if address is None:
            return None
        self._remote = remote = RemoteServer(address.url, address.token)
        self._screen.say(f"{self._wanted.project.title} is served at {address.url}; Ctrl-C ends it")
        self._ends.follow(remote)
        return remote

    def _follow(self, found: Changes) -> None:
        """Do what follows from changes: load code, or start the server anew."""
        if not found.files:
            self._mourn()
            return
        names = ", ".join(found.files[:_SHOWN]) + (", …" if len(found.files) > _SHOWN else "")
        self._screen.say(f"changed: {names}")
        if found.are_settings or self._remote is None:
            self._start_anew()
        else:
            self._look(reload)

    def _start_anew(self) -> None:
        self.close()
        self._server.end()
        if self._start() is None:
            self._screen.say(
                "the server has not started: mend it, and it is tried again", is_bad=True
            )
        else:
            self._look(say_what_is_loaded)

    def _look(self, do: _Step) -> None:
        """Do something with the server; if it ends meanwhile, the next change starts it anew."""
        try:
            if self._remote is not None:
                do(self._remote, self._screen)
        except ServerError as error:
            self._screen.say(str(error), is_bad=True)
        except Complaint as complaint:
            self._screen.say("\n".join(complaint.lines), is_bad=True)

    def _mourn(self) -> None:
        """Say that the server has ended by itself, once."""
        code = self._server.exit_code
        if self._remote is not None and code is not None:
            self.close()
            words = f"the server has ended with exit code {code}; a change starts it anew"
            self._screen.say(words, is_bad=True)
