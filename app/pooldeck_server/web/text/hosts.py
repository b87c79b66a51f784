"""Hosts in words: what is known of one, how surely, and of a task that runs there."""

from collections.abc import Sequence
from typing import Final

from pooldeck.hosts.model import GoneBy
from pooldeck_server.domain.pools.hosts import HostHealth, HostState, host_of
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later, ngettext

_GONE_BY: Final = {
    GoneBy.LEASE: later(
        "Gone for certain since %(time)s: its lease was over, by which its keeper ends all that "
        "runs there."
    ),
    GoneBy.OWN_WORD: later("Gone for certain since %(time)s: it ended, and said so."),
    GoneBy.SUCCESSOR: later(
        "Gone for certain since %(time)s: the next host process on its machine found that nothing "
        "of it was left."
    ),
}


def worker_name(worker: str) -> str:
    """Return a worker's id without its pool and the process of its host: "host-a-3", "cpu-17"."""
    host = host_of(worker)
    return worker if host is None else f"{host}-{worker.rpartition('-')[2]}"


def contact_words(host: HostHealth) -> str:
    """Return what is known of a host and how surely, in a sentence; "" while all is well."""
    match host.state:
        case HostState.NO_CONTACT:
            return f"{_no_contact(host)} {_lost_at(host)}".strip()
        case HostState.DRAINING:
            return _("It finishes what runs there, and is handed nothing new.")
        case HostState.GONE:
            return _gone(host)
        case HostState.REFUSED:
            return _(
                "It was refused at %(time)s: %(why)s",
                time=formats.second(host.last_contact),
                why=formats.sentence(host.reason or _("no reason is known")),
            )
    return ""


def _no_contact(host: HostHealth) -> str:
    return _("No contact since %(time)s.", time=formats.second(host.last_contact))


def _lost_at(host: HostHealth) -> str:
    number = len(host.tasks)
    if not number:
        return _("Nothing ran there.")
    if host.lost_at is None:
        return ngettext("%(num)s task may run on there.", "%(num)s tasks may run on there.", number)
    return ngettext(
        "%(num)s task may run on there: it is lost at %(time)s, unless the host comes back.",
        "%(num)s tasks may run on there: they are lost at %(time)s, unless the host comes back.",
        number,
        time=formats.second(host.lost_at),
    )


def _gone(host: HostHealth) -> str:
    time = formats.second(host.gone_at or host.last_contact)
    return _(_GONE_BY[host.gone_by or GoneBy.LEASE], time=time)


def task_words(host: HostHealth | None) -> str:
    """Return how surely it is known that a task runs on a host, "" where that is plain."""
    if host is None or host.state is not HostState.NO_CONTACT:
        return ""
    since = formats.second(host.last_contact)
    if host.lost_at is None:
        return _("No contact since %(time)s: it may run on.", time=since)
    return _(
        "No contact since %(time)s: it may run on. Lost at %(lost)s, unless the host comes back.",
        time=since,
        lost=formats.second(host.lost_at),
    )


def count_words(hosts: Sequence[HostHealth]) -> str:
    """Return in a few words how many hosts a pool has, and how many of them are not heard of."""
    standing = [host for host in hosts if host.stands]
    if not standing:
        return _("no host")
    words = ngettext("%(num)s host", "%(num)s hosts", len(standing))
    silent = [host.name for host in standing if host.state is HostState.NO_CONTACT]
    if len(silent) == 1:
        words += _(", no contact with %(host)s", host=silent[0])
    elif silent:
        words += _(", no contact with %(number)s of them", number=formats.count(len(silent)))
    return words
