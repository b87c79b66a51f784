"""The process of a host: one boot after the other, until it is told to end."""

import asyncio
import ipaddress
import logging
import os
import re
import signal
import socket
import ssl
import stat
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from pooldeck.hosts.folders import HostFolder, HostRunningError
from pooldeck.hosts.host import Host
from pooldeck.hosts.machine import this_machine
from pooldeck.hosts.membership import HostSpec
from pooldeck.hosts.presence import HostPlace, Presence
from pooldeck.hosts.stream import FrameStream
from pooldeck.hosts.untaken import Secured
from pooldeck.hosts.wire import DEFAULT_PORT

_log: Final = logging.getLogger(__name__)

SERVER: Final = "POOLDECK_SERVER"
TOKEN: Final = "POOLDECK_TOKEN"  # noqa: S105 - its name
AUTHORITY: Final = "POOLDECK_AUTHORITY"
CERTIFICATE: Final = "POOLDECK_CERTIFICATE"
KEY: Final = "POOLDECK_KEY"
"""The variables that say what a configuration file may say, too."""

NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
"""What the name of a host may be."""

_GRACE: Final = 10.0  # seconds for what runs, when the process is asked to end
_SAME_REQUEST: Final = 0.25  # seconds; whoever starts it may pass a signal on that it has too
_PAUSE: Final = 1.0  # seconds between two boots
_UNHEARD: Final = 60.0  # seconds for a server to take a host that an agent holds
_NO_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class BadHostError(Exception):
    """What a host is told about itself cannot be right; the text is a sentence."""


class _File(Struct, forbid_unknown_fields=True):
    """What a configuration file can say."""

    server: str | None = None
    token: str | None = None
    authority: str | None = None
    certificate: str | None = None
    key: str | None = None


class HostOptions(Struct, frozen=True):
    """What a host process is to be."""

    pool: str
    name: str
    server: tuple[str, int]
    token: str
    has: dict[str, float] = {}
    authority: str | None = None  # a file of the certificates that the server's is checked by
    certificate: str | None = None  # its own, where the server asks for one
    key: str | None = None
    state: Path | None = None  # where it keeps its files
    grace: float = _GRACE
    place: Path | None = None  # the stem of its place, where an agent holds it
    run: str = ""  # which run of which server it is for, if so


def host_options(
    pool: str,
    name: str | None,
    has: Sequence[str] = (),
    *,
    config: Path | None = None,
    state: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> HostOptions:
    """Return what a host is to be, from its command line, its file and its environment.

    Args:
        pool: The pool that it is part of.
        name: Its name; None: that of the machine.
        has: What it has, such as "gpu=1".
        config: A file in TOML with the secrets, which nobody else may read.
        state: Where it keeps its files; None: in the folder for temporary ones.
        environment: Says what the file does not.

    Raises:
        BadHostError: If something is missing or wrong.
    """
    told = _File() if config is None else _read(config)
    server = told.server or environment.get(SERVER)
    token = told.token or environment.get(TOKEN)
    if not server:
        raise BadHostError(f"{SERVER} must say where the server listens for hosts, as host:port.")
    if not token:
        raise BadHostError(f"{TOKEN} must be a token of the server's that may run hosts.")
    name = name or socket.gethostname()
    if not NAME.fullmatch(name):
        raise BadHostError(f"{name!r} is no name of a host: letters, digits and . _ - make one.")
    options = HostOptions(
        *(pool, name, _address(server), token, dict(map(_having, has))),
        authority=told.authority or environment.get(AUTHORITY),
        certificate=told.certificate or environment.get(CERTIFICATE),
        key=told.key or environment.get(KEY),
        state=state,
    )
    if options.authority is None and not _is_loopback(options.server[0]):
        raise BadHostError(
            f"{AUTHORITY} must name the file of the certificate authority by which "
            f"{options.server[0]} is known: without it only this machine itself can be dialled."
        )
    return options


def _read(path: Path) -> _File:
    try:
        if path.stat().st_mode & _NO_OTHERS:
            raise BadHostError(f"{path} can be read by others: it has to have mode 0600.")
        return msgspec.convert(tomllib.loads(path.read_text()), _File)
    except (OSError, ValueError) as error:
        raise BadHostError(f"{path} cannot be read: {error}") from error


def _address(server: str) -> tuple[str, int]:
    host, colon, port = server.rpartition(":")
    if not colon or server.endswith("]"):
        host, port = server, str(DEFAULT_PORT)
    if not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise BadHostError(f"{server!r} is no address: it has to be host:port.")
    return host.strip("[]"), int(port)


def _having(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name, float(number or 1)
    except ValueError as error:
        raise BadHostError(f"{text!r} is not what a host can have: name=number is.") from error


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def host_context(options: HostOptions) -> ssl.SSLContext | None:
    """Return what a connection to the server is secured by; None where nothing is needed.

    Raises:
        BadHostError: If a certificate cannot be used.
    """
    if options.authority is None:
        return None
    try:
        context = ssl.create_default_context(cafile=options.authority)
    except OSError as error:
        raise _unusable(f"authority {options.authority}", error) from error
    if options.certificate is not None:
        try:
            context.load_cert_chain(options.certificate, options.key)
        except OSError as error:
            files = f"certificate {options.certificate} with key {options.key}"
            raise _unusable(files, error) from error
    return context


def _unusable(what: str, error: OSError) -> BadHostError:
    return BadHostError(f"the {what} cannot be used: {error.strerror or error}.")


def host_folder(options: HostOptions) -> Path:
    """Return where a host keeps its files."""
    root = options.state or Path(tempfile.gettempdir()) / f"pooldeck-hosts-{os.getuid()}"
    server = "{}_{}".format(*options.server).replace(os.sep, "_").replace(":", "_")
    return root / f"{options.pool}@{options.name}@{server}"


def run(options: HostOptions) -> str:
    """Be a host until it is told to end, or the server wants it no more.

    Returns:
        Why that is, in words.

    Raises:
        BadHostError: If something is wrong that does not become right by itself.
        PlaceTaken: If another host process has its place.
    """
    os.environ.pop(TOKEN, None)  # what tasks start inherits the rest
    try:
        place = options.place
        return asyncio.run(_run(options) if place is None else _held(options, HostPlace(place)))
    except HostRunningError as error:
        raise BadHostError(f"{error}.") from error
    except OSError as error:
        raise BadHostError(f"the host cannot run here: {error}") from error


async def _held(options: HostOptions, place: HostPlace) -> str:
    """Be a host that an agent holds; it hears why that is over."""
    presence = Presence(place, options.run)
    await presence.take()
    why = "the host process failed"
    try:
        why = await _run(options)
    except (BadHostError, HostRunningError, OSError) as error:
        why = str(error)
        raise
    finally:
        await presence.leave(why)
    return why


async def _run(options: HostOptions) -> str:
    context = host_context(options)
    machine = await asyncio.to_thread(this_machine)
    folder = HostFolder(host_folder(options), machine)
    spec = HostSpec(options.pool, options.name, options.token, options.has)
    secured = Secured(options.authority, options.certificate)

    async def dial() -> FrameStream:
        return await FrameStream.connect(*options.server, context)

    asked = _Asked(options.grace)
    try:
        while True:
            host = asked.host = Host(spec, dial, folder, secured)
            if options.place is not None:  # it is not to wait for a server that is no more
                asyncio.get_running_loop().call_later(_UNHEARD, host.end_untaken)
            end = await host.run()
            _log.info("host %s is over: %s", options.name, end.why)
            # The agent of one that it holds is followed by another, which starts another process.
            if end.is_final or options.place is not None or await asked.within(_PAUSE):
                return end.why
    finally:
        folder.close()


class _Asked:
    """Ends a host when the process is asked to end; at once, when it is asked again."""

    def __init__(self, grace: float) -> None:
        self.host: Host | None = None
        self._grace = grace
        self._is_asked = asyncio.Event()
        self._asked_at = 0.0
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._end, number.name)

    def _end(self, name: str) -> None:
        now = asyncio.get_running_loop().time()
        if not self._is_asked.is_set():
            self._is_asked.set()
            self._asked_at = now
        elif now - self._asked_at < _SAME_REQUEST:
            return
        if self.host is not None:
            self.host.end(f"it was told to end by {name}", grace=self._grace, is_final=True)

    async def within(self, seconds: float) -> bool:
        """Wait for a while; return whether the process was asked to end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_asked.wait(), seconds)
        return self._is_asked.is_set()


def open_paths(paths: Sequence[str]) -> None:
    """Have workers find the user's modules in folders, beside those of PYTHONPATH."""
    if paths:
        before = os.environ.get("PYTHONPATH")
        every = [os.path.abspath(path) for path in paths]  # noqa: PTH100 - as it is written
        os.environ["PYTHONPATH"] = os.pathsep.join([*every, *([before] if before else [])])


def log_to_stderr(*, verbose: bool = False) -> None:
    """Have the log of the process written to standard error."""
    words: Any = "%(asctime)s %(levelname)s %(message)s"
    level = logging.DEBUG if verbose else logging.INFO
    logging.basicConfig(stream=sys.stderr, level=level, format=words)
