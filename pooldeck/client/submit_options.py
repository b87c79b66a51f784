"""The options of a submission, and the body that it becomes with them."""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import Struct

from pooldeck.client.arguments import encode_call
from pooldeck.client.future import Asker, RemoteFuture
from pooldeck.client.names import name_of


class SubmitOptions(Struct, frozen=True, omit_defaults=True):
    """How tasks are submitted; what is not set is as their functions say.

    Attributes:
        pool: The name of the pool.
        priority: From -100 to 100, higher first.
        timeout: Seconds from its start to its end.
        retries: Reruns after an exception or a timeout.
        needs: What a machine must have free for it, in the place of what its function needs.
        delay: Seconds to wait before it may run.
        run_at: When it may run, with a time zone; not together with `delay`.
        tags: Labels to find it by.
        after: The tasks that it comes after: futures or ids.
        on_failure: What becomes of it when those fail: "stop", "skip" or "go_on".
        idempotency_key: The same key gives the same task.
    """

    pool: str | None = None
    priority: int | None = None
    timeout: float | None = None
    retries: int | None = None
    needs: dict[str, float] | None = None
    delay: float | None = None
    run_at: datetime | None = None
    tags: tuple[str, ...] = ()
    after: tuple[Any, ...] = ()
    on_failure: str | None = None
    idempotency_key: str | None = None


NO_OPTIONS: Final = SubmitOptions()


def submit_options(base: SubmitOptions, given: dict[str, Any]) -> SubmitOptions:
    """Return options with those that are given in the place of what they were before.

    Raises:
        TypeError: If there is no such option, or it is of a wrong type.
    """
    unknown = given.keys() - set(SubmitOptions.__struct_fields__)
    if unknown:
        known = ", ".join(SubmitOptions.__struct_fields__)
        raise TypeError(f"there is no option {', '.join(sorted(unknown))}; there are {known}")
    chosen = {name: value for name, value in given.items() if value is not None}
    for name in ("tags", "after"):
        if name in chosen:
            chosen[name] = _several(name, chosen[name])
    options = {name: getattr(base, name) for name in SubmitOptions.__struct_fields__} | chosen
    try:
        return msgspec.convert(options, SubmitOptions)
    except msgspec.ValidationError as error:
        raise TypeError(f"the options do not fit: {error}") from None


def _several(name: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str) or hasattr(value, "reference"):
        return (value,)
    if not isinstance(value, Collection):
        raise TypeError(f"{name} takes a list, not {value!r}")
    return tuple(value)


class Submissions:
    """Makes futures with the body that each is submitted by, all with the same options."""

    def __init__(self, asker: Asker, options: SubmitOptions) -> None:
        self._asker = asker
        self._end = end_of(options)
        self._needs = tuple(each for each in options.after if isinstance(each, RemoteFuture))

    def of(
        self,
        function: str | Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> RemoteFuture[Any]:
        """Return the future of a call, not sent yet.

        Raises:
            TypeError: If the function has no name for a server, or an argument no JSON.
            ValueError: If an argument has a value that JSON does not have.
        """
        name, beginning = _beginning_of(function)
        call = encode_call(args, kwargs)
        body = b'%b"args":%b,"kwargs":%b%b' % (beginning, call.args, call.kwargs, self._end)
        return RemoteFuture(self._asker, name, body, self._needs + call.needs)


@lru_cache(maxsize=1000)
def _beginning_of(function: str | Callable[..., Any]) -> tuple[str, bytes]:
    name = name_of(function)
    return name, b'{"function":%b,' % msgspec.json.encode(name)


def end_of(options: SubmitOptions) -> bytes:
    """Return how the bodies of submissions with these options end."""
    after = [getattr(each, "reference", each) for each in options.after]
    plain = msgspec.structs.replace(options, after=tuple(after))
    text = msgspec.json.encode(plain)
    return b"}" if text == b"{}" else b",%b" % text[1:]
