"""One server beside several processes of an app: the first of them starts it, the others find it.

It stays until the last of them has gone, whichever that is: the one that has started it is nothing
special. Where it dies, the next that needs it starts another.
"""

import logging
import os
import threading
import time
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final

import msgspec
from msgspec.structs import replace

from pooldeck.beside import child
from pooldeck.beside.address import Address
from pooldeck.beside.attachment import FOLDER, Attachment
from pooldeck.beside.child import ServerNotStarted, Start
from pooldeck.client.offers import offer, withdraw
from pooldeck.client.places import Place

_PLAN: Final = f"{FOLDER}/plan"
_PAUSE: Final = 5.0  # seconds after a start that has failed
_TO_END: Final = 60.0  # seconds for an earlier one, which nobody uses any more
_log = logging.getLogger(__name__)


class SharedChild:
    """The server of a data folder, for this process and for others with the same folder."""

    def __init__(self, start: Start, seconds: float) -> None:
        """Prepare it; nothing is started yet.

        Args:
            start: What to start if there is none.
            seconds: How long that may take.
        """
        self._start = start
        self._seconds = seconds
        self._lock = threading.Lock()
        self._attachment: Attachment | None = None
        self._address: Address | None = None
        self._owner = 0  # the process that is attached: what it forks has to attach itself
        self._failure: str | None = None  # why the last start failed
        self._again_at = 0.0  # when another may be tried

    @property
    def known(self) -> Address | None:
        """Where the server is; None if there is none, or this process has to look for it."""
        attachment, address = self._attachment, self._address
        is_ours = attachment is not None and self._owner == os.getpid()
        return address if is_ours and attachment is not None and attachment.is_served else None

    def address(self) -> Address:
        """Return where the server is, which is started if there is none; that takes a moment.

        Raises:
            ServerNotStarted: If it cannot be started.
        """
        with self._lock:
            if (known := self.known) is not None:
                return known
            if self._failure is not None and time.monotonic() < self._again_at:
                raise ServerNotStarted(self._failure)
            return self._looked_for()

    def place(self) -> Place:
        """Return where the server is, which is started if there is none.

        Raises:
            ServerNotStarted: If it cannot be started.
        """
        address = self.address()
        return Place(address.url, address.token, "pooldeck.asgi()")

    def _looked_for(self) -> Address:
        """Find or start it; where that fails, not every request tries it anew."""
        try:
            return self._found()
        except (ServerNotStarted, OSError) as error:
            self._failure, self._again_at = str(error), time.monotonic() + _PAUSE
            raise

    def leave(self) -> None:
        """Use it no more; it ends if nobody else does."""
        withdraw(self)
        with self._lock:
            if self._attachment is not None and self._owner == os.getpid():
                self._attachment.close()
            self._attachment = self._address = None

    def _found(self) -> Address:
        folder = self._start.data
        folder.mkdir(parents=True, exist_ok=True)
        if self._attachment is None or self._owner != os.getpid():
            self._attachment, self._owner = Attachment(folder), os.getpid()
        attachment = self._attachment
        with attachment.starting():
            if not attachment.attach():
                if not attachment.wait_for_end(_TO_END):
                    raise ServerNotStarted(f"the server that used {folder} does not end")
                attachment.attach()
            address = Address.read(folder) if attachment.is_served else None
            self._address = self._joined(address) if address else self._started()
        offer(self)
        return self._address

    def _joined(self, address: Address) -> Address:
        path = self._start.data / _PLAN
        if not path.is_file() or path.read_text() != self._plan:
            _log.warning(
                "the server of %s was started with other functions or settings by a process that "
                "is still there; these count once all such processes have ended",
                self._start.data,
            )
        return address

    def _started(self) -> Address:
        settings = {"token": token_urlsafe(32), **self._start.settings}
        start = replace(self._start, settings=settings)
        process = child.launched(start)
        address, complaint = child.wait_until_ready(process, start, self._seconds)
        # It may outlive what has started it here; when it ends, it is not to stay as a zombie.
        threading.Thread(target=process.wait, name="pooldeck-deck-reaper", daemon=True).start()
        if complaint is not None:  # the app goes on: the dashboard shows it too
            _log.error("%s", complaint)
        (self._start.data / _PLAN).write_text(self._plan)
        return address

    @property
    def _plan(self) -> str:
        """Return a digest of what the server was started with, which holds no secret."""
        described = msgspec.json.encode([self._start.modules, str(self._start.settings)])
        return sha256(described).hexdigest()
