"""What `[log]` sets: the file that has the log lines of all tasks."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from pooldeck_server.domain.tasks.log import Level
from pooldeck_server.settings.units import unit


class LogSettings(BaseModel, extra="forbid", frozen=True):
    """The log file; without a path there is none."""

    path: Path = Field(
        description="Relative to where the server was started; missing folders are made. "
        "`-` is standard output, for containers."
    )
    max_bytes: Annotated[int, Field(ge=4096)] = Field(
        default=50_000_000, description="The file is moved aside before it gets larger."
    )
    keep: Annotated[int, Field(ge=0, le=999), unit("files")] = Field(
        default=5, description="Files that were moved aside and are kept: PATH.1 is the latest."
    )
    format: Literal["text", "json"] = Field(
        default="text", description="json: an object per line, for programs."
    )
    level: Level = Field(
        default="INFO",
        description="The least that is written; levels of your own always are.",
    )
    server: bool = Field(
        default=False, description="Whether the server's own records go there too."
    )

    @property
    def is_standard_output(self) -> bool:
        return self.path == Path("-")
