"""What `[hosts]` sets: where hosts dial in, their leases, and how a pool gets its hosts."""

import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from pooldeck_server.domain.addresses import is_loopback
from pooldeck_server.settings.units import unit

DEFAULT_PORT: Final = 8790
"""Where a server listens for hosts if nothing else is said."""

MAX_HOSTS: Final = 1000
"""As many hosts an engine may be asked for."""

_ADDRESS: Final = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:]+)\]|(?P<host>[^:\[\]\s]+))(?::(?P<port>\d+))?"
)
_LAST_PORT: Final = 65535


class HostsSettings(BaseModel, extra="forbid", frozen=True):
    """Where hosts dial in, and how long they may go on without a word; without it there are none.

    A lease is renewed while there is contact. What runs on a host that is not heard of any more is
    lost, or run again, when its lease and the margin are over: not before.
    """

    listen: str = Field(
        default=f"127.0.0.1:{DEFAULT_PORT}",
        description="Address and port for hosts; port 0 takes a free one. An address that other "
        "machines reach needs a certificate.",
    )
    address: str | None = Field(
        default=None,
        description="Where hosts reach that, such as `deck.example.com:8790`, for those that an "
        "engine starts. Default: `listen`.",
    )
    certificate: Path | None = Field(
        default=None,
        description="The server's certificate, as PEM, with those that it is signed by after it.",
    )
    key: Path | None = Field(default=None, description="Its private key, as PEM.")
    authority: Path | None = Field(
        default=None,
        description="What the server's certificate is signed by, as PEM, for hosts that an engine "
        "starts. Default: `certificate` itself.",
    )
    host_authority: Path | None = Field(
        default=None,
        description="What certificates of hosts have to be signed by, as PEM. Default: hosts show "
        "a token and no certificate.",
    )
    lease_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=15.0,
        description="How long what runs on a host goes on without a word from the server; then "
        "it is ended there.",
    )
    renew_seconds: Annotated[float, Field(gt=0, le=600)] = Field(
        default=1.0, description="Between two words of a host."
    )
    margin_seconds: Annotated[float, Field(gt=0, le=600)] = Field(
        default=5.0,
        description="What the machine of a host gets to end everything, when a lease is over.",
    )

    @field_validator("listen", "address")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None:
            read_address(value)
        return value

    @model_validator(mode="after")
    def _certificate_has_a_key(self) -> Self:
        if (self.certificate is None) is not (self.key is None):
            raise ValueError("hosts: certificate and key belong together: set both, or neither")
        if self.certificate is None and (self.authority or self.host_authority):
            raise ValueError("hosts: an authority is for TLS: set certificate and key too")
        if self.certificate is None and not is_loopback(self.bound[0]):
            raise ValueError(
                f"hosts.listen {self.listen} can be reached from other machines: set certificate "
                "and key under [hosts], or listen on 127.0.0.1"
            )
        return self

    @model_validator(mode="after")
    def _lease_is_renewed_in_time(self) -> Self:
        if self.lease_seconds < 3 * self.renew_seconds:
            raise ValueError(
                f"hosts.lease_seconds {self.lease_seconds:g} is too short for renew_seconds "
                f"{self.renew_seconds:g}: make it three times as long, or more"
            )
        return self

    @property
    def bound(self) -> tuple[str, int]:
        """Return the host and the port to listen on."""
        return read_address(self.listen)

    @property
    def is_tls(self) -> bool:
        """Tell whether hosts have to speak TLS."""
        return self.certificate is not None


class HostedSettings(BaseModel, extra="forbid", frozen=True):
    """Where the pool runs, if not on the server's machine: on hosts that dial in.

    `size` is then that of each.
    """

    engine: Literal["manual", "dask"] = Field(
        default="manual",
        description="manual: hosts are started by `pooldeck host`; dask: workers of Dask "
        "distributed start them.",
    )
    scheduler: str | None = Field(
        default=None,
        description="The address of Dask's scheduler, such as `tls://scheduler:8786`.",
    )
    count: Annotated[int, Field(ge=1, le=MAX_HOSTS), unit("hosts")] | None = Field(
        default=None, description="How many hosts Dask is asked for. Default: 1."
    )

    authority: Path | None = Field(
        default=None, description="What Dask's certificates are signed by, as PEM."
    )
    certificate: Path | None = Field(
        default=None, description="What this server shows Dask's scheduler, as PEM."
    )
    key: Path | None = Field(default=None, description="Its private key, as PEM.")

    @property
    def wanted(self) -> int | None:
        """Return how many hosts the engine is asked for; None where they are started by hand."""
        return None if self.engine == "manual" else self.count or 1

    @model_validator(mode="after")
    def _scheduler_is_for_dask(self) -> Self:
        if self.engine == "dask" and self.scheduler is None:
            raise ValueError("hosts: the engine dask needs the address of its scheduler")
        others = [name for name in type(self).model_fields if name != "engine"]
        if self.engine != "dask" and (set_too := [n for n in others if getattr(self, n)]):
            raise ValueError(f"hosts: {', '.join(set_too)}: for the engine dask only")
        return self


def read_address(text: str) -> tuple[str, int]:
    """Return the host and the port of an address such as `127.0.0.1:8790` or `[::1]:8790`.

    Raises:
        ValueError: If it is none.
    """
    found = _ADDRESS.fullmatch(text.strip())
    port = int(found["port"] or DEFAULT_PORT) if found else -1
    if found is None or not 0 <= port <= _LAST_PORT:
        raise ValueError(f'"{text}" is no address with a port, such as 127.0.0.1:{DEFAULT_PORT}')
    return found["v6"] or found["host"], port
