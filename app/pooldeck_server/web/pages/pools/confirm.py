"""Questions before a pool is drained or restarted, or one of its workers or hosts ended."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.domain.pools.health import PoolHealth, SlotHealth, WorkerHealth
from pooldeck_server.domain.pools.hosts import HostHealth
from pooldeck_server.web.pages.shared.confirmation import Confirmation
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, ngettext

_LISTED: Final = 12


@dataclass(frozen=True)
class PoolConfirmation(Confirmation):
    """A question about a pool."""

    section = "pools"


def kill_worker(pool: PoolHealth, worker: WorkerHealth) -> PoolConfirmation:
    running = [slot for slot in worker.slots if slot.task is not None]
    cut_off = [slot for slot in running if not slot.abandoned]
    return PoolConfirmation(
        heading=_("Kill %(worker)s?", worker=worker.id),
        sentences=(
            _("It is ended at once, with all that it started; another takes its place."),
            _cut_off(len(cut_off)),
        ),
        action=f"/workers/{worker.id}/kill",
        button=_("Kill worker"),
        back=f"/pools#{pool.name}",
        affected=tuple((slot, _becomes(slot)) for slot in running[:_LISTED]),
        unlisted=max(0, len(running) - _LISTED),
        asks_reason=True,
    )


def end_host(pool: PoolHealth, host: HostHealth) -> PoolConfirmation:
    """Ask whether a host is to be ended, with all that runs there."""
    workers = (worker for worker in pool.workers if worker.host == host.name)
    running = [slot for worker in workers for slot in worker.slots if slot.task is not None]
    return PoolConfirmation(
        heading=_("End the host %(host)s?", host=host.name),
        sentences=(
            _("Its process and all that it started end at once. It may dial in again."),
            _host_tasks(len(running)),
        ),
        action=f"/pools/{pool.name}/hosts/{quote(host.name)}/end",
        button=_("End host"),
        back=f"/pools#hosts-{pool.name}",
        affected=tuple((slot, _cut(slot)) for slot in running[:_LISTED]),
        unlisted=max(0, len(running) - _LISTED),
        asks_reason=True,
    )


def _host_tasks(number: int) -> str:
    if not number:
        return _("No task runs there.")
    return ngettext(
        "%(num)s task runs there: it is cut off, and lost unless it may run again.",
        "%(num)s tasks run there: they are cut off, and lost unless they may run again.",
        number,
    )


def _cut(slot: SlotHealth) -> str:
    return _("runs for %(time)s, will be cut off", time=formats.duration(slot.elapsed))


def drain(pool: PoolHealth) -> PoolConfirmation:
    return PoolConfirmation(
        heading=_("Drain and stop %(pool)s?", pool=pool.name),
        sentences=(
            _finishing(pool),
            _waiting(pool),
            _("New tasks are taken, and wait too. The pool stays stopped if the server restarts."),
        ),
        action=f"/pools/{pool.name}/drain",
        button=_("Drain and stop"),
        back=f"/pools#{pool.name}",
        asks_reason=True,
    )


def restart(pool: PoolHealth) -> PoolConfirmation:
    return PoolConfirmation(
        heading=_("Restart the workers of %(pool)s?", pool=pool.name),
        sentences=(
            ngettext(
                "%(num)s worker is replaced by one that loads the code anew.",
                "%(num)s workers are replaced, one after the other, by ones that load the code"
                " anew.",
                len(pool.workers),
            ),
            _finishing(pool),
            _("What waits goes on waiting for a slot, and no task is lost."),
        ),
        action=f"/pools/{pool.name}/restart",
        button=_("Restart workers"),
        back=f"/pools#{pool.name}",
        asks_reason=True,
    )


def cancel_unschedulable(
    notices: Iterable[Notice], pool: str, function: str | None
) -> PoolConfirmation:
    """Ask whether tasks that no worker can run are to be cancelled, all or those of a function."""
    waiting = [
        notice
        for notice in notices
        if notice.need is Need.UNSCHEDULABLE and (function is None or notice.function == function)
    ]
    number = sum(notice.number for notice in waiting)
    return PoolConfirmation(
        heading=ngettext(
            "Cancel %(num)s task that no worker can run?",
            "Cancel %(num)s tasks that no worker can run?",
            number,
        ),
        sentences=(
            _("As they are, they run by themselves as soon as a worker can run them."),
            _("Other tasks of the same functions are not touched."),
        ),
        action=f"/pools/{pool}/unschedulable",
        button=_("Cancel them") if number else None,
        back=f"/pools#{pool}",
        hidden=() if function is None else (("function", function),),
        items=tuple(f"{each.function}: {each.reason}" for each in waiting if each.function),
    )


def _becomes(slot: SlotHealth) -> str:
    if slot.abandoned:
        return _("was abandoned, and its thread ends")
    return _("runs for %(time)s, will be cancelled", time=formats.duration(slot.elapsed))


def _cut_off(number: int) -> str:
    if not number:
        return _("No task runs in it.")
    return ngettext(
        "%(num)s task runs in it: it is cut off and counts as cancelled.",
        "%(num)s tasks run in it: they are cut off and count as cancelled.",
        number,
    )


def _waiting(pool: PoolHealth) -> str:
    if not pool.queued:
        return _("No task waits in its queue.")
    return ngettext(
        "%(num)s task waits in its queue: it stays there until the pool is resumed.",
        "%(num)s tasks wait in its queue: they stay there until the pool is resumed.",
        pool.queued,
    )


def _finishing(pool: PoolHealth) -> str:
    if not pool.busy:
        return _("No task runs in it.")
    return ngettext(
        "%(num)s task runs in it: it is finished first.",
        "%(num)s tasks run in it: they are finished first.",
        pool.busy,
    )
