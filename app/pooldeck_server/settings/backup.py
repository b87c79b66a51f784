"""What `[backup]` sets: copies of the database that the server makes by itself."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from pooldeck_server.settings.units import unit


class BackupSettings(BaseModel, extra="forbid", frozen=True):
    """Backups on a schedule; without a folder there are none."""

    folder: Path = Field(
        description="Where to; better on another disk. "
        "Relative to where the server was started; missing folders are made."
    )
    every_hours: Annotated[float, Field(gt=0)] = Field(
        default=24.0, description="How long after one backup the next is made."
    )
    keep: Annotated[int, Field(ge=1), unit("backups")] = Field(
        default=7, description="So many of the latest; older ones are deleted."
    )
