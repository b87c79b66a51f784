"""The server beside a program: it says where it is, and ends once no program uses it any more.

`pooldeck.beside` is the program's side. A thread waits for the lock that the programs hold: it
would end a server whose event loop hangs as well.
"""

import asyncio
import os
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pooldeck.beside.address import KEPT, TEMPORARY, VARIABLE, Address
from pooldeck.beside.attachment import Attachment
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.runtime.access.own_files import HEADER_FILE
from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.settings import Settings

_OTHER_SECONDS: Final = 10.0  # for one whose program was killed while it started
_LAST_SECONDS: Final = 30.0  # for an end in good order, beside the grace period
_EXIT_KILLED: Final = 70  # EX_SOFTWARE: it did not end by itself


def beside_a_program(settings: Settings) -> "Beside | None":
    """Return the server's side if a program has started this server beside itself, else None.

    The variable that says so is taken out of the environment: it is not for the workers.

    Raises:
        StartupError: If there is another on the same folder.
    """
    how = os.environ.pop(VARIABLE, None)
    if how not in {KEPT, TEMPORARY}:
        return None
    attachment = Attachment(settings.data)
    if not attachment.serve(_OTHER_SECONDS):
        raise StartupError(f"another server beside a program uses {settings.data}")
    token = settings.token.get_secret_value() if settings.token else None
    return Beside(settings.data, token, attachment, is_temporary=how == TEMPORARY)


@dataclass(eq=False)
class Beside:
    """A server that lives as long as somebody is attached to it."""

    data: Path
    token: str | None
    attachment: Attachment
    is_temporary: bool = field(kw_only=True)

    def watch(self, ending: Ending) -> None:
        """End the server when nobody uses it; what runs may go on where somebody can see it."""
        loop = asyncio.get_running_loop()
        begin = ending.hurry if self.is_temporary else ending.begin

        def wait() -> None:
            self.attachment.wait_until_unused()
            loop.call_soon_threadsafe(begin)
            time.sleep(ending.grace + _LAST_SECONDS)
            os._exit(_EXIT_KILLED)  # the keeper ends what is left

        threading.Thread(target=wait, name="pooldeck-beside", daemon=True).start()

    def tell(self, url: str) -> None:
        """Say where the server is, now that it answers, and what lets the program in."""
        Address(url, os.getpid(), self.token or self._own_token()).write(self.data)

    def _own_token(self) -> str | None:
        """Return the token of this run that is for the server's own user; None if there is none."""
        try:
            return (self.data / HEADER_FILE).read_text().split()[-1]
        except (OSError, IndexError):
            return None

    def clear(self) -> None:
        """Take away what nobody needs any more."""
        if self.is_temporary:
            shutil.rmtree(self.data, ignore_errors=True)
        else:
            Address.remove(self.data)
