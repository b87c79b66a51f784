"""What `[metrics]` sets: how much `/metrics` tells."""

from typing import Annotated

from pydantic import BaseModel, Field

from pooldeck_server.settings.units import unit


class MetricsSettings(BaseModel, extra="forbid", frozen=True):
    """Figures for Prometheus."""

    functions: Annotated[int, Field(ge=0, le=10_000), unit("functions")] = Field(
        default=50,
        description="So many have series of their own; further ones are counted together as "
        "`other`.",
    )
