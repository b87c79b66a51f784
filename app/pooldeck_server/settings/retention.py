"""What `[retention]` sets: how long tasks are kept, and how little room may be left."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from pooldeck_server.domain.retention import (
    MOST_DAYS,
    FunctionRetention,
    RetentionRules,
)
from pooldeck_server.settings.units import unit


def _or_never(value: Any) -> Any:
    return 0 if value == "never" else value


_Days = Annotated[float, BeforeValidator(_or_never), Field(ge=0, le=MOST_DAYS), unit("days")]
_Number = Annotated[int, BeforeValidator(_or_never), Field(ge=0, le=10**12), unit("tasks")]


class FunctionRetentionSettings(BaseModel, extra="forbid", frozen=True):
    """What is otherwise for functions whose names fit a pattern, such as `"acme.reports.*"`."""

    days: _Days | None = Field(
        default=None, description="Instead of those of all states; 0 or never: for ever."
    )
    most: _Number | None = Field(
        default=None, description="The most tasks of each such function; 0 or never: no limit."
    )


class RetentionSettings(BaseModel, extra="forbid", frozen=True):
    """How long tasks are kept after their ends; rules set on the page `/retention` go before."""

    succeeded: _Days = Field(
        default=30, description="How long tasks that succeeded are kept; 0 or never: for ever."
    )
    failed: _Days = Field(default=90, description="The same for those that failed.")
    cancelled: _Days = Field(default=90, description="The same for those that were cancelled.")
    lost: _Days = Field(default=90, description="The same for those that were lost.")
    most: _Number = Field(
        default=1_000_000,
        description="The most tasks in all that have ended: over it the oldest go, those that "
        "succeeded first; 0 or never: no limit.",
    )
    others: _Days = Field(
        default=365,
        description="How long incidents, marks on charts, experiments and groups of errors that "
        "were not seen since are kept; 0 or never: for ever.",
    )
    functions: dict[str, FunctionRetentionSettings] = Field(
        default={},
        description="Own rules by patterns of functions' names; the first that fits counts.",
    )
    low_disk_bytes: Annotated[int, Field(ge=0)] = Field(
        default=1024 * 1024 * 1024,
        description="With less room on the database's disk (or less than a tenth of a small one) "
        "every page says so; 0: never.",
    )

    @property
    def rules(self) -> RetentionRules:
        """These as rules."""
        own = tuple(
            FunctionRetention(pattern, each.days, each.most)
            for pattern, each in self.functions.items()
        )
        return RetentionRules(
            self.succeeded, self.failed, self.cancelled, self.lost, self.most, self.others, own
        )
