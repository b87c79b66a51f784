"""What `[tracing]` sets, and whether there are traces at all."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, Final

from pydantic import BaseModel, Field

from pooldeck.tracing import Tracing
from pooldeck_server.settings.units import unit

_OFF: Final = "OTEL_SDK_DISABLED"
_EXPORTER: Final = "OTEL_TRACES_EXPORTER"
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class TracingSettings(BaseModel, extra="forbid", frozen=True):
    """Traces by OpenTelemetry, with the extra `pooldeck[otel]`; also on by its own variables."""

    endpoint: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] | None = Field(
        default=None,
        description="A collector that takes OTLP over HTTP, such as `http://collector:4318`. "
        "Default: as OpenTelemetry's variables say, or this machine.",
    )
    service: str | None = Field(
        default=None,
        description="The name of the service in traces. "
        "Default: as `OTEL_SERVICE_NAME` says, or `pooldeck`.",
    )
    ratio: Annotated[float, Field(ge=0, le=1), unit("of the traces")] | None = Field(
        default=None,
        description="How many are kept of those that begin here; of others their beginner says. "
        "Default: as `OTEL_TRACES_SAMPLER` says, or all.",
    )


def wanted_tracing(
    settings: TracingSettings | None, environment: Mapping[str, str] = os.environ
) -> Tracing | None:
    """Return where spans go; None where nobody has asked for any.

    OpenTelemetry's variables ask for them where the extra is installed: a platform may set them for
    all that it runs.
    """
    if environment.get(_OFF, "").lower() == "true":
        return None
    if settings is not None:
        return Tracing(settings.endpoint, settings.service)
    is_asked = any(environment.get(name) for name in _ENDPOINTS)
    if is_asked and environment.get(_EXPORTER, "otlp") != "none" and is_installed():
        return Tracing()
    return None


def is_installed() -> bool:
    """Tell whether the extra is."""
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False
