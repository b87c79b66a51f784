"""Sentences that the record and the workers keep in English, in the reader's words.

They were logged, sent and answered as they are; here what varies in them is found again. A text
that was not written by Pooldeck, or in another way by an earlier release, stays as it is.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

from pooldeck_server.web.text.i18n import ENGLISH, _, language, later
from pooldeck_server.web.text.reasons import cause_words, start_words

_Parts: TypeAlias = Mapping[str, Callable[[str], str]]


class _Form(NamedTuple):
    """A sentence: how it is found, its words, and its parts that are put into words themselves."""

    pattern: re.Pattern[str]
    words: str
    parts: _Parts


def _form(pattern: str, words: str, **parts: Callable[[str], str]) -> _Form:
    return _Form(re.compile(pattern), words, parts)


def _reworded(text: str, forms: tuple[_Form, ...]) -> str:
    if language.get() == ENGLISH:
        return text
    for form in forms:
        if found := form.pattern.fullmatch(text):
            values = found.groupdict()
            values |= {name: words(values[name]) for name, words in form.parts.items()}
            return _(form.words, **values)
    return text


def alert_subject(subject: str) -> str:
    """Return what an alert is about."""
    return _reworded(subject, _SUBJECTS)


def alert_words(text: str) -> str:
    """Return what is known of an alert."""
    found = _reworded(text, _ALERTS)
    return start_words(text) if found == text else found


def reason_words(reason: str) -> str:
    """Return why something was done, where the server did it itself."""
    return _reworded(reason, _REASONS)


def problem_words(problem: str) -> str:
    """Return why a function cannot be called."""
    found = _reworded(problem, _PROBLEMS)
    return start_words(problem) if found == problem else found


_SUBJECTS: Final = (
    _form(
        r"(?P<type>\S+) in (?P<place>.+) \((?P<group>[0-9a-f]+)\)",
        later("%(type)s in %(place)s (%(group)s)"),
    ),
    _form(r"(?P<function>.+) in pool (?P<pool>\S+)", later("%(function)s in pool %(pool)s")),
    _form(r"pool (?P<pool>\S+), culprit unknown", later("pool %(pool)s, culprit unknown")),
    _form(r"pool (?P<pool>\S+)", later("pool %(pool)s")),
    _form("the database", later("the database")),
    _form("the disk of the database", later("the disk of the database")),
    _form("the server", later("the server")),
    _form("several functions", later("several functions")),
)
_REASONS: Final = (
    _form(
        r"(?P<deaths>\d+) workers died under (?P<function>.+) within (?P<seconds>\S+) seconds; "
        r"the last one (?P<cause>.+)",
        later(
            "%(deaths)s workers died under %(function)s within %(seconds)s seconds; the last one "
            "%(cause)s"
        ),
        cause=cause_words,
    ),
)
_DEATHS: Final[tuple[_Form, ...]] = (
    _form(
        r"(?P<death>worker .+); what (?P<number>\d+) tasks? had left running in it may have done "
        r"it \((?P<functions>.*)\)",
        later(
            "%(death)s; what tasks (%(number)s) had left running in it may have done it "
            "(%(functions)s)"
        ),
        death=lambda death: _reworded(death, _DEATHS),
    ),
    _form(
        r"worker (?P<worker>\S+) (?P<cause>.+?) while it ran no task",
        later("worker %(worker)s %(cause)s while it ran no task"),
        cause=cause_words,
    ),
    _form(
        r"worker (?P<worker>\S+) (?P<cause>.+?) when it had (?P<function>.+) "
        r"\(task (?P<task>\S+)\) in hand",
        later("worker %(worker)s %(cause)s when it had %(function)s (task %(task)s) in hand"),
        cause=cause_words,
    ),
    _form(
        r"worker (?P<worker>\S+) (?P<cause>.+?) while it ran (?P<number>\d+) tasks?, one of which "
        r"may have done it \((?P<functions>.*)\)",
        later(
            "worker %(worker)s %(cause)s while it ran %(number)s tasks, one of which may have done "
            "it (%(functions)s)"
        ),
        cause=cause_words,
    ),
    _form(
        r"worker (?P<worker>\S+) (?P<cause>.+?) while it ran (?P<function>.+) "
        r"\(task (?P<task>\S+)\), and (?P<number>\d+) tasks? beside it",
        later(
            "worker %(worker)s %(cause)s while it ran %(function)s (task %(task)s), with other "
            "tasks beside it: %(number)s"
        ),
        cause=cause_words,
    ),
    _form(
        r"worker (?P<worker>\S+) (?P<cause>.+?) while it ran (?P<function>.+) "
        r"\(task (?P<task>\S+)\)",
        later("worker %(worker)s %(cause)s while it ran %(function)s (task %(task)s)"),
        cause=cause_words,
    ),
)
_ALERTS: Final = (
    _form(r"task (?P<task>\S+) failed so last", later("task %(task)s failed so last")),
    *_REASONS,
    *_DEATHS,
    _form(
        r"(?P<number>\d+) tasks are queued, the oldest for (?P<seconds>\d+) s",
        later("%(number)s tasks are queued, the oldest for %(seconds)s s"),
    ),
    _form(
        r"the server before this one ended while tasks ran: (?P<lost>\d+) lost, "
        r"(?P<rerun>\d+) run again",
        later(
            "the server before this one ended while tasks ran: %(lost)s lost, %(rerun)s run again"
        ),
    ),
    _form(
        r"(?P<amount>\S+) GiB are free, (?P<share>\S+) %",
        later("%(amount)s GiB are free, %(share)s %%"),
    ),
    _form(
        r"a commit takes more than (?P<seconds>\d+) s",
        later("a commit takes more than %(seconds)s s"),
    ),
    _form(
        r"it would be (?P<times>\S+) times as fast elsewhere",
        later("it would be %(times)s times as fast elsewhere"),
    ),
    _form(
        r"it would be (?P<times>\S+) times as fast in (?P<pool>\S+)",
        later("it would be %(times)s times as fast in %(pool)s"),
    ),
    _form(
        r"all (?P<number>\d+) slots are busy, nothing ends, and tasks wait",
        later("all %(number)s slots are busy, nothing ends, and tasks wait"),
    ),
    _form(
        r"(?P<number>\d+) tasks run far longer than usual",
        later("%(number)s tasks run far longer than usual"),
    ),
    _form(
        r"(?P<function>\S+) runs far longer than usual",
        later("%(function)s runs far longer than usual"),
    ),
    _form("its workers do not start", later("its workers do not start")),
)
_PROBLEMS: Final = (
    _form(
        r'there is no pool "(?P<pool>.*)"; there are: (?P<there>.*)',
        later('there is no pool "%(pool)s"; there are: %(there)s'),
    ),
    _form(
        r"the workers of pool (?P<pool>\S+) have older code, without it: restart that pool",
        later("the workers of pool %(pool)s have older code, without it: restart that pool"),
    ),
    _form(
        r"the code that the workers of pool (?P<pool>\S+) have loaded is without it",
        later("the code that the workers of pool %(pool)s have loaded is without it"),
    ),
    _form(
        r"the code that the workers of pool (?P<pool>\S+) have loaded is without it; "
        r"(?P<modules>.+) could not be loaded, and may have it",
        later(
            "the code that the workers of pool %(pool)s have loaded is without it; %(modules)s "
            "could not be loaded, and may have it"
        ),
    ),
    _form(
        "it is a generator: a task returns one result, so make it return a list",
        later("it is a generator: a task returns one result, so make it return a list"),
    ),
    _form(
        r"two functions are called (?P<name>\S+): the first of them is in line (?P<line>\d+)",
        later("two functions are called %(name)s: the first of them is in line %(line)s"),
    ),
    _form(
        r"two functions are called (?P<name>\S+): (?P<one>.+) and (?P<other>.+); "
        r"give one of them another name with @task\(name=\.\.\.\)",
        later(
            "two functions are called %(name)s: %(one)s and %(other)s; give one of them another "
            "name with @task(name=...)"
        ),
    ),
    _form(
        r"its directory (?P<folder>.+) does not exist",
        later("its directory %(folder)s does not exist"),
    ),
    _form(
        r'its program "(?P<program>.+)" was not found, or may not be run',
        later('its program "%(program)s" was not found, or may not be run'),
    ),
)
