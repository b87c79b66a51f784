"""What `[alerts]` sets: how alerts leave the server; rules and destinations are set on its page."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, IPvAnyNetwork, field_validator

from pooldeck_server.domain.alerts.rules import MOST_QUIET_SECONDS, QUIET_SECONDS
from pooldeck_server.domain.errors import InvalidRequest


class AlertSettings(BaseModel, extra="forbid", frozen=True):
    """How alerts are sent."""

    url: str = Field(
        default="",
        description="The address at which people reach the server, such as "
        "`https://deck.example.com`: links in messages begin with it.",
    )
    allowed_networks: tuple[IPvAnyNetwork, ...] = Field(
        default=(),
        description="Private addresses and networks that webhooks may go to, such as "
        "`10.1.2.0/24`; without, only public ones.",
    )
    callback_hosts: tuple[str, ...] = Field(
        default=(),
        description="The only hosts that callbacks of tasks may go to, such as "
        '`"hooks.example.com"`, or `".example.com"` for all below it; without, every host that a '
        "webhook may go to.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="Certificates, in PEM, that receivers are trusted by beside the public ones.",
    )
    quiet_seconds: Annotated[float, Field(ge=0, le=MOST_QUIET_SECONDS)] = Field(
        default=QUIET_SECONDS,
        description="How long a rule says nothing new after a message, unless its own time is set; "
        "what happens meanwhile is told together.",
    )

    def check_callback_host(self, host: str) -> None:
        """Refuse a host (with a port, if it has one) that callbacks may not go to.

        Raises:
            InvalidRequest: If others are listed.
        """
        name = host.partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        name = name.strip("[").rstrip(".").lower()
        if self.callback_hosts and not any(_fits(name, each) for each in self.callback_hosts):
            raise InvalidRequest(
                f"{name[:80]} is not listed in callback_hosts of [alerts]", field="/callback"
            )

    @field_validator("callback_hosts")
    @classmethod
    def _are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [each for each in value if not each.strip(".") or set(each) & set("/:@ ")]:
            raise ValueError(f"{wrong[0]!r} is not the name of a host, without scheme and port")
        return tuple(each.lower() for each in value)

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with https:// or http://")
        return value.rstrip("/")


def _fits(name: str, listed: str) -> bool:
    return name.endswith(listed) if listed.startswith(".") else name == listed
