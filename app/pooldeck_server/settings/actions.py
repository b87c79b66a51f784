"""What `[actions]` sets: for how long it is kept who did what."""

from typing import Annotated

from pydantic import BaseModel, Field

from pooldeck_server.settings.units import unit


class ActionSettings(BaseModel, extra="forbid", frozen=True):
    """The log of actions."""

    keep_days: Annotated[int, Field(ge=0), unit("days")] = Field(
        default=365, description="For how long it is kept who did what; 0: for ever."
    )
    most: Annotated[int, Field(ge=0), unit("actions")] = Field(
        default=1_000_000, description="How many are kept, the oldest go; 0: any number."
    )
