"""What a client asks for: the body of a submission, and the answer to it."""

from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from pooldeck import needs
from pooldeck.functions import MOST_URGENT
from pooldeck.kinds import Ending
from pooldeck_server.domain.alerts.deliveries import MAX_URL
from pooldeck_server.domain.tasks.dependencies import OnFailure, Rule
from pooldeck_server.domain.tasks.names import PRINTABLE, Name
from pooldeck_server.domain.tasks.references import may_refer
from pooldeck_server.domain.tasks.task import StoredTask

MAX_TAGS = 20
MAX_TAG_LENGTH = 100
MAX_KEY_LENGTH = 200
MAX_WAIT = 60.0  # seconds that an answer may be kept back until the task has ended
MAX_DELAY = 365 * 24 * 3600  # seconds
MAX_RETRIES = 100
MAX_AFTER = 1000

Priority: TypeAlias = Annotated[
    int, Meta(ge=-MOST_URGENT, le=MOST_URGENT, description="Higher first. Default: the function's.")
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
Timeout: TypeAlias = Annotated[
    float,
    Meta(
        gt=0,
        le=MAX_DELAY,
        description="Seconds from its start to its end. Default: the function's.",
    ),
]
Retries: TypeAlias = Annotated[
    int,
    Meta(
        ge=0,
        le=MAX_RETRIES,
        description="Reruns after an exception or a timeout. Default: the function's.",
    ),
]
Needs: TypeAlias = Annotated[
    dict[str, Annotated[float, Meta(gt=0, le=needs.MOST)]],
    Meta(
        max_length=needs.MOST_NAMES,
        description="What a machine of its pool must have free for it while it runs. Default: the "
        "function's; `{}`: nothing.",
        examples=[{"gpu": 1, "memory_gb": 8}],
        extra_json_schema={"propertyNames": {"pattern": f"^{needs.NAME}$"}},
    ),
]
Key: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_KEY_LENGTH,
        pattern=PRINTABLE,
        description="The same key gives the same task. In a batch only; else it is a header.",
    ),
]


Callback: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_URL,
        pattern=PRINTABLE,
        description="An address that its end is told to, by a signed `POST`.",
        examples=["https://example.com/hooks/ended"],
    ),
]


_NO_ARGS: Final = Raw(b"[]")
_NO_KWARGS: Final = Raw(b"{}")


class After(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A task that another comes after, with a rule of its own."""

    task: Name
    on_failure: OnFailure | None = None


Afters: TypeAlias = Annotated[
    tuple[Name | After, ...],
    Meta(
        max_length=MAX_AFTER,
        description="The tasks that must have ended before: their ids; in a pipeline, steps.",
        examples=[["019ad5a2-3c10-7b4e-9f8e-2d64a7c0ffee"]],
    ),
]


class Submission(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One task to run. Its arguments are kept as they are written.

    Anywhere in them, `{"$result": "the id of a task"}` stands for that task's result; the task
    then runs after it, as if it stood in `after`.
    """

    function: Name
    args: Args = field(default_factory=lambda: _NO_ARGS)  # as a plain one it has no JSON Schema
    kwargs: Kwargs = field(default_factory=lambda: _NO_KWARGS)
    pool: Name | None = None
    priority: Priority | None = None
    delay: Delay | None = None
    run_at: Moment | None = None
    tags: Tags = ()
    timeout: Timeout | None = None
    retries: Retries | None = None
    idempotency_key: Key | None = None
    after: Afters = ()
    on_failure: OnFailure = Rule.STOP
    callback: Callback | UnsetType | None = UNSET  # left out of digests where it is not given
    needs: Needs | UnsetType | None = UNSET  # likewise

    @property
    def comes_after(self) -> tuple[After, ...]:
        """Return what stands in `after`, all of it in the longer form."""
        return tuple(each if isinstance(each, After) else After(each) for each in self.after)

    @property
    def may_come_after(self) -> bool:
        """Tell whether it could come after other tasks: its arguments may refer to them, too."""
        return bool(self.after) or may_refer(bytes(self.args), bytes(self.kwargs))


class Accepted(Struct, frozen=True):
    """A submission that is stored; `created` is False where its key had been used before."""

    task: StoredTask
    created: bool


CancelOutcome: TypeAlias = Literal[
    "cancelled",  # it had not started
    "cancel_requested",  # it runs, and has been asked to end itself
    "killed",  # its worker was ended, or its command
    "abandoned",  # it ran in a thread, which cannot be killed: nobody waits for it any more
    "unreached",  # its host has no contact, and is asked to kill it when it has
    "already_ended",
]
"""What cancelling a task did."""


class Cancelled(Struct, frozen=True):
    """What cancelling did, and the task after it; `ending` is how it was killed, if it was."""

    outcome: CancelOutcome
    task: StoredTask
    ending: Ending | None = None


class BulkDone(Struct, frozen=True):
    """What was done to all tasks that a filter fits: how many, and what it did to how many."""

    matched: int
    outcomes: dict[str, int]


class TaskStack(Struct, frozen=True):
    """Where a running task is: `text` is None if it ended meanwhile or its worker cannot tell.

    `no_contact`: that is since its host is not heard of.
    """

    task: StoredTask
    text: str | None
    no_contact: bool = False
