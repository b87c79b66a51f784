"""What a client asks for: the body of a submission, and the answer to it."""

from datetime import datetime
from typing import Annotated, TypeAlias

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from app.domain.tasks import StoredTask

MAX_PRIORITY = 100
MAX_TAGS = 20
MAX_TAG_LENGTH = 100
MAX_NAME_LENGTH = 200
MAX_KEY_LENGTH = 200
MAX_DELAY = 365 * 24 * 3600  # seconds
PRINTABLE = r"^(?![\s\S]*[\x00-\x1f\x7f])"  # not [^...]*$: `$` lets a last newline pass

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_LENGTH, pattern=PRINTABLE)]
Priority: TypeAlias = Annotated[
    int,
    Meta(ge=-MAX_PRIORITY, le=MAX_PRIORITY, description="Higher first. Default: the function's."),
]
Delay: TypeAlias = Annotated[
    float, Meta(ge=0, le=MAX_DELAY, description="Seconds to wait; not together with `run_at`.")
]
Moment: TypeAlias = Annotated[
    datetime, Meta(tz=True, description="When to run it; not together with `delay`.")
]
Tag: TypeAlias = Annotated[str, Meta(min_length=1, max_length=MAX_TAG_LENGTH, pattern=PRINTABLE)]
Tags: TypeAlias = Annotated[
    tuple[Tag, ...], Meta(max_length=MAX_TAGS, description="Labels to find it by, each once.")
]
Args: TypeAlias = Annotated[
    Raw,
    Meta(
        description="Arguments by position.",
        examples=[["pictures/a.png"]],
        extra_json_schema={"type": "array", "default": []},
    ),
]
Kwargs: TypeAlias = Annotated[
    Raw,
    Meta(
        description="Arguments by name.",
        examples=[{"width": 64}],
        extra_json_schema={"type": "object", "default": {}},
    ),
]
Later: TypeAlias = Annotated[Raw, Meta(description="Not available yet: refused with status 501.")]
Key: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_KEY_LENGTH,
        pattern=PRINTABLE,
        description="The same key gives the same task. In a batch only; else it is a header.",
    ),
]


class Submission(Struct, frozen=True, forbid_unknown_fields=True):
    """One task to run. Its arguments are kept as they are written."""

    function: Name
    args: Args = field(default_factory=lambda: Raw(b"[]"))
    kwargs: Kwargs = field(default_factory=lambda: Raw(b"{}"))
    pool: Name | None = None
    priority: Priority | None = None
    delay: Delay | None = None
    run_at: Moment | None = None
    tags: Tags = ()
    idempotency_key: Key | None = None
    # Not available yet: known here so that they can be refused by name.
    timeout: Later | UnsetType = UNSET
    retries: Later | UnsetType = UNSET
    after: Later | UnsetType = UNSET


class Accepted(Struct, frozen=True):
    """A submission that is stored; `created` is False where its key had been used before."""

    task: StoredTask
    created: bool


class Cancelled(Struct, frozen=True):
    """What cancelling did: `outcome` is "cancelled" or "already_ended"."""

    outcome: str
    task: StoredTask
