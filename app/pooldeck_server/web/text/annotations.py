"""Annotations in the words of the reader's language, such as "cpu: resized from 2 to 4"."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec.structs import replace

from pooldeck.hosts.model import GoneBy
from pooldeck_server.domain.functions.placements import PlacementRule
from pooldeck_server.domain.pools.annotations import Kind, StoredAnnotation
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later
from pooldeck_server.web.text.reasons import cause_words, start_words


def history_words(annotation: StoredAnnotation) -> str:
    """Return what happened, for a page that names the pool and the reason beside it."""
    return annotation_words(replace(annotation, pool=None, reason=None))


def annotation_words(annotation: StoredAnnotation) -> str:
    words = _WORDS[annotation.kind](annotation)
    if annotation.pool is not None:
        words = f"{annotation.pool}: {words}"
    return f"{words} ({annotation.reason})" if annotation.reason else words


def _start(note: StoredAnnotation) -> str:
    down = note.data.get("down_seconds")
    if down is None:
        return _("the server started")
    if note.data.get("was_clean"):
        return _("the server started, %(down)s after its end", down=formats.duration(down))
    return _("the server started again, %(down)s after it was cut off", down=formats.duration(down))


def _resize(note: StoredAnnotation) -> str:
    data: Mapping[str, Any] = note.data
    if data.get("of") == "hosts":
        return _("hosts from %(before)s to %(after)s", before=data["before"], after=data["after"])
    return _("resized from %(before)s to %(after)s", before=data["before"], after=data["after"])


def _kill_task(note: StoredAnnotation) -> str:
    function = formats.short_name(str(note.data.get("function", "")))
    if note.data.get("outcome") == "abandoned":
        return _("a task of %(function)s was abandoned by hand", function=function)
    if note.data.get("outcome") == "unreached":
        return _("the host of a task of %(function)s was asked to kill it", function=function)
    return _("a task of %(function)s was killed by hand", function=function)


def _host_gone(note: StoredAnnotation) -> str:
    if note.data.get("gone_by") == GoneBy.OWN_WORD:
        return _("the host %(host)s has ended", host=note.subject)
    return _("the host %(host)s is gone", host=note.subject)


def _crash(note: StoredAnnotation) -> str:
    return f"{note.subject} {cause_words(note.data['cause'])}"


def _placed(note: StoredAnnotation) -> str:
    function, before = formats.short_name(note.subject or ""), note.data.get("before")
    return _(_placing(note.data), function=function, before=before, error=note.data.get("undone"))


def _placing(data: Mapping[str, Any]) -> str:
    """Return why a function is in another pool, as a text that names it and where it was."""
    if data.get("given_back") == PlacementRule.MEASURED:
        return later(
            "%(function)s is here again: measurements had moved it to %(before)s without its "
            "owner's word"
        )
    if data.get("undone"):
        return later(
            "%(function)s went back here from %(before)s, where it failed as never before: "
            "%(error)s"
        )
    if data.get("given_back"):
        return later("%(function)s was given back and is here again, before in %(before)s")
    if data.get("verdict"):
        return later("%(function)s was moved here from %(before)s")
    return later("%(function)s was placed here by hand, before in %(before)s")


def _restored(note: StoredAnnotation) -> str:
    number = note.data.get("number", 0)
    if note.data.get("word") == "run":
        return _("the tasks of the backup were let run: %(number)s", number=number)
    return _("the tasks of the backup were recorded as lost: %(number)s", number=number)


_WORDS: Final[Mapping[Kind, Callable[[StoredAnnotation], str]]] = {
    "start": _start,
    "resize": _resize,
    "pause": lambda _note: _("paused"),
    "resume": lambda _note: _("resumed"),
    "drain": lambda _note: _("drained"),
    "restart": lambda _note: _("workers restarted"),
    "kill_worker": lambda note: _("%(worker)s was killed by hand", worker=note.subject),
    "drain_host": lambda note: _("the host %(host)s was drained by hand", host=note.subject),
    "end_host": lambda note: _("the host %(host)s was ended by hand", host=note.subject),
    "host_came": lambda note: _("the host %(host)s was attached", host=note.subject),
    "host_gone": _host_gone,
    "kill_task": _kill_task,
    "crash": _crash,
    "hold": lambda note: _("%(function)s was put on hold", function=note.subject),
    "release": lambda note: _("%(function)s was released", function=note.subject),
    "pause_function": lambda note: _("%(function)s was paused", function=note.subject),
    "resume_function": lambda note: _("%(function)s was resumed", function=note.subject),
    "broken": lambda note: _("broken: %(why)s", why=start_words(note.data.get("said", ""))),
    "shared_lost": lambda _note: _("shared state was lost: its process died and began anew"),
    "placed": _placed,
    "restored": _restored,
    "server_drain": lambda note: _("the server was drained by %(who)s", who=note.data.get("by")),
    "server_resume": lambda note: _("the server was resumed by %(who)s", who=note.data.get("by")),
}
