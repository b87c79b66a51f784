"""`pooldeck.Server`: a server for the time of a block, in scripts and notebooks."""

import os
import shutil
import subprocess
import tempfile
import webbrowser
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from pooldeck.beside import child
from pooldeck.beside.address import Address
from pooldeck.beside.attachment import Attachment
from pooldeck.beside.child import ServerNotStarted, Start
from pooldeck.beside.modules import Functions, modules_of, refuse_in_worker
from pooldeck.client.offers import offer, withdraw
from pooldeck.client.places import Place

if TYPE_CHECKING:
    from pooldeck.client import Client

_GRACE: Final = 10.0  # seconds that what runs may go on, where no setting says otherwise
_TO_END: Final = 30.0  # seconds beside that


class Server:
    """A Pooldeck server as a child of this program: pools, record and dashboard on a free port.

    It ends with the block, or with the program, however that ends. `functions` of the program
    itself are loaded by its file, so the program has to start the server below
    `if __name__ == "__main__":`, as with `multiprocessing`.

    While it runs, `add.submit(...)` and the like go to it, unless `pooldeck.client.use` or
    POOLDECK_URL says otherwise.

    Args:
        functions: What can be called: modules, their dotted names, or functions with `@task`,
            which bring the others of their modules along.
        data: The folder of the record; without one it is temporary, and gone with the server.
        timeout: Seconds within which it has to be ready.
        **settings: Those of `pooldeck.toml`, such as `pools={"cpu": {"kind": "process"}}`. They
            are all that count: neither `POOLDECK_*` variables nor a file do.

    Raises:
        TypeError: If something among `functions` is no function with `@task`.
        ValueError: If workers cannot load it, as what is defined in a notebook.
    """

    def __init__(
        self,
        functions: Functions = (),
        *,
        data: str | os.PathLike[str] | None = None,
        timeout: float = 120.0,
        **settings: Any,
    ) -> None:
        self._modules = modules_of(functions)
        self._data = None if data is None else Path(data).absolute()
        self._timeout = timeout
        self._settings = settings
        self._start: Start | None = None
        self._address: Address | None = None
        self._attachment: Attachment | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0  # the process that has started it: what it forks does not end it

    def start(self) -> Self:
        """Start it; when this returns, it takes tasks.

        Returns:
            The server itself.

        Raises:
            ServerNotStarted: If it cannot start, or a module cannot be loaded; it says why.
            RuntimeError: If it runs already, or a worker that loads the program would start it.
        """
        if self._process is not None:
            raise RuntimeError(f"{self!r} runs already")
        refuse_in_worker()
        self._owner = os.getpid()
        self._start = self._planned()
        try:
            self._begin(self._start)
        except BaseException:
            self._end(0)
            raise
        offer(self)
        return self

    def _begin(self, start: Start) -> None:
        self._attachment = attachment = Attachment(start.data)
        with attachment.starting():
            if attachment.is_served or not attachment.attach():
                raise ServerNotStarted(
                    f"another server uses {start.data}; stop it, or choose another data folder"
                )
            self._process = child.launched(start)
            self._address, complaint = child.wait_until_ready(self._process, start, self._timeout)
        if complaint is not None:
            raise ServerNotStarted(complaint)

    def _planned(self) -> Start:
        is_temporary = self._data is None
        data = self._data or Path(tempfile.mkdtemp(prefix="pooldeck-beside-"))
        data.mkdir(parents=True, exist_ok=True)
        return Start(data, self._modules, self._settings, is_temporary)

    def stop(self) -> None:
        """End it: what runs may go on for `grace_seconds`. Nothing happens if it does not run."""
        if self._owner == os.getpid():
            self._end(float(self._settings.get("grace_seconds", _GRACE)) + _TO_END)

    def _end(self, seconds: float) -> None:
        withdraw(self)
        if self._process is not None:
            child.end(self._process, seconds)
        if self._attachment is not None:
            self._attachment.close()
        if self._start is not None and self._start.is_temporary:
            shutil.rmtree(self._start.data, ignore_errors=True)
        self._process = self._attachment = self._address = self._start = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def client(self, **options: Any) -> "Client":
        """Return a client for it, which is the caller's to close.

        Args:
            **options: Those of `pooldeck.Client`.
        """
        from pooldeck.client import Client  # noqa: PLC0415 - who only looks needs none

        return Client(self.url, self.token, **options)

    def place(self) -> Place:
        """Return where it is, for the client of the process."""
        return Place(self.url, self.token, "pooldeck.Server")

    @property
    def url(self) -> str:
        """Where it is, such as `http://127.0.0.1:40123`."""
        return self._known.url

    @property
    def token(self) -> str | None:
        """The token that it asks for, None if it asks for none."""
        return self._known.token

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._known.pid

    @property
    def data(self) -> Path:
        """The folder of its record."""
        self._known  # noqa: B018 - complains if it does not run
        return self._start.data  # type: ignore[union-attr]  # a server that runs has one

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def _known(self) -> Address:
        if self._address is None:
            raise RuntimeError("the server does not run: start it by `with server:`")
        return self._address

    def open(self) -> None:
        """Show its dashboard in a browser."""
        webbrowser.open(self.url)

    def __repr__(self) -> str:
        where = self._address.url if self._address is not None else "not running"
        return f"<pooldeck.Server {where}>"
