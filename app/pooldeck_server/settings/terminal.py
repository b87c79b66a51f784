"""What `[terminal]` sets: what the server writes to standard error, and how."""

from typing import Literal

from pydantic import BaseModel, Field


class TerminalSettings(BaseModel, extra="forbid", frozen=True):
    """The server's own lines; those of tasks are in their logs."""

    level: Literal["quiet", "normal", "verbose"] = Field(
        default="normal",
        description="quiet: warnings and worse only; verbose: also requests, and how workers come "
        "and go.",
    )
    format: Literal["text", "json"] = Field(
        default="text", description="json: an object per line, for programs."
    )
    requests: bool = Field(
        default=False,
        description="Whether each HTTP request has a line, as with `verbose`: who asked for what, "
        "with which answer, and how soon.",
    )

    @property
    def says_requests(self) -> bool:
        return self.requests or self.level == "verbose"
