"""Takes out of measurements what a call met beside it: others that held the GIL, or a CPU.

CPU time over wall time tells how crowded it was: a loop in Python measures 1.0 alone and 0.2 among
eight threads. What stays the same is the CPU time itself, and what looks at a running call find it
doing (`pooldeck.outcome.Observation`): a call that waits for a sleep or a socket is seen to wait
for it, however many others want the GIL.

Everywhere, `by_itself` are runs that had their process to themselves, and `in_company` those beside
which others ran. The estimators are derived, and each threshold has its source and its test, in
`docs/decisions/0016-estimators.md`.
"""

import math
from typing import Final

from pooldeck_server.domain.measurements.run_sums import Sums

_ENOUGH_RUNS: Final = 3  # by themselves: then the others need not be asked how long a run waits
_ENOUGH_LOOKS: Final = 3  # at calls that were at work by themselves: the same of the GIL
_WAKING: Final = 0.2  # share of the time in which threads wait for a CPU to ask for the GIL on
_SLICE: Final = 0.005  # seconds, `sys.getswitchinterval()`
_CLEARLY: Final = 3.0  # calls that are ready at a time
_MOSTLY: Final = 0.6  # of the CPU time
_RESTLESS: Final = 12_000.0  # times that it gives up its CPU for each second on one
_DOUBT: Final = 2.0  # looks that find the GIL held, before there are any
_IDLE: Final = 0.2  # share of the wall time
_AT_LEAST: Final = 0.00002  # seconds to read or write the shortest JSON
_BYTES_PER_SECOND: Final = 20e6  # of JSON, at least
_LEAST: Final = 1e-9  # seconds
_SIDE_BY_SIDE: Final = 2.0  # runs at a time, at least, to see whether they wait for one another
_OTHERS: Final = 0.5  # of those beside a run


def waiting(by_itself: Sums, in_company: Sums) -> float:
    """Return for how many seconds of a run it waits for anything but the GIL and a CPU."""
    runs = by_itself.runs + in_company.runs
    if not runs:
        return 0.0
    alone = _waiting_by_itself(by_itself)
    if by_itself.runs >= _ENOUGH_RUNS:
        return alone
    others = _waiting_in_company(in_company)
    return (alone * by_itself.runs + others * in_company.runs) / runs


def _waiting_by_itself(sums: Sums) -> float:
    """Return how long a run waits that nothing in its process can have kept from going on.

    It waits while it is idle, but where delay was not measured, idle may have been ready, with
    other processes on the CPUs. Of so many looks, `expected` should have found it waiting, had it
    waited all the time. The one that is added to both lets few looks say little.
    """
    if not sums.run:
        return 0.0
    idle = max(0.0, sums.idle - (_delayed(sums) - sums.delayed))
    expected = sums.looks * idle / sums.run
    share = (seen_waiting(sums) + 1.0) / (expected + 1.0)
    return sums.per_run(idle) * min(1.0, share)


def _waiting_in_company(sums: Sums) -> float:
    """Return how long a run waits beside which others ran.

    Waiting for the GIL is no computing either, so that only looks tell. Before there are any, the
    run that was idle for the shortest time has met the others least: it counts as one look.

    Calls of one kind are often found doing the same, so that a look at all of them says as much as
    one; and the probe, which needs the GIL itself, gets it the sooner the more of them wait for
    something else. So half the standard error is taken off.
    """
    if not sums.run:
        return 0.0
    # Sums that forget are rounded: what was all waiting may come to a little more than all.
    share = min(1.0, (seen_waiting(sums) + sums.least_idle / sums.run) / (sums.looks + 1.0))
    rounds = max(1.0, sums.looks / (1.0 + sums.per_run(sums.beside)))
    error = math.sqrt(share * (1.0 - share) / rounds) / 2.0
    return min(sums.per_run(sums.idle), max(0.0, share - error) * sums.per_run(sums.run))


def is_blurred(by_itself: Sums, in_company: Sums) -> bool:
    """Tell whether runs were idle of which nobody can know what they waited for.

    It may have been the GIL, if they and others like them had any use for it.
    """
    if by_itself.runs >= _ENOUGH_RUNS or in_company.looks >= _ENOUGH_LOOKS:
        return False
    run = in_company.run
    is_contended = (1.0 + in_company.per_run(in_company.beside)) * in_company.cpu > _IDLE * run
    return is_contended and in_company.least_idle > _IDLE * run


def handover(by_itself: Sums, in_company: Sums) -> tuple[float, float]:
    """Return how long the arguments of a run take to be read, and its result to be written.

    Wall time tells that only where nothing runs beside it; else the size sets a bound.
    """
    if by_itself.runs:
        return by_itself.per_run(by_itself.decode), by_itself.per_run(by_itself.encode)
    decode, encode = in_company.per_run(in_company.decode), in_company.per_run(in_company.encode)
    return (
        min(decode, _AT_LEAST + in_company.per_run(in_company.arguments_bytes) / _BYTES_PER_SECOND),
        min(encode, _AT_LEAST + in_company.per_run(in_company.result_bytes) / _BYTES_PER_SECOND),
    )


def helper_cpu(by_itself: Sums, in_company: Sums) -> float:
    """Return for how many seconds of CPU time other threads work for a run.

    It is measured where nothing ran beside it; else it is as much as looks found.
    """
    if by_itself.runs >= _ENOUGH_RUNS or not observed(in_company):
        return by_itself.per_run(by_itself.helper_cpu)
    others = in_a_run(in_company, in_company.seen_helper_cpu) * in_company.runs
    return by_itself.plus(in_company).per_run(by_itself.helper_cpu + others)


def is_disturbed(by_itself: Sums, in_company: Sums) -> bool:
    """Tell whether runs were seen at work only where most that ran beside them were others'."""
    if seen_at_work(by_itself) >= _ENOUGH_LOOKS or not in_company.runs:
        return False
    beside = in_company.per_run(in_company.beside)
    return beside - (at_a_time(in_company) - 1.0) > _OTHERS * beside


def is_crowded(by_itself: Sums, in_company: Sums) -> bool:
    """Tell whether runs seen at work only in company lacked a CPU for longer than that explains.

    Calls of their function can have kept them from it for as long as those had it. Beyond that,
    whatever else the machine does decides what is seen: a thread that loses its CPU while it holds
    the GIL makes others wait for both, which looks like a held GIL, and those that wake up to ask
    for it, and get no CPU, look as if they ran without it.
    """
    if seen_at_work(by_itself) >= _ENOUGH_LOOKS or not in_company.runs:
        return False
    return _delayed(in_company) > at_a_time(in_company) * in_company.cpu


def at_a_time(sums: Sums) -> float:
    """Return how many of the runs were under way at a time, in the mean while any was."""
    return sums.run / max(sums.run - sums.overlap, _LEAST)


def getting_on(by_itself: Sums, in_company: Sums) -> float | None:
    """Return for which share of its time a run got on beside others of its function.

    The time for which it had no CPU does not count: it says nothing. It got on while it had one, or
    waited for what it waits for anyway. For the rest it waited for the others, whatever for: the
    GIL, or the memory of their process. None if too few ran side by side.
    """
    if in_company.runs < _ENOUGH_RUNS or at_a_time(in_company) < _SIDE_BY_SIDE:
        return None
    on = in_company.per_run(in_company.cpu) + waiting(by_itself, in_company)
    counts = in_company.per_run(in_company.run - _delayed(in_company))
    return on / counts if counts > on else 1.0


def threads_at_once(sums: Sums) -> float:
    """Return on how many threads a run computes at a time, or would if there were CPUs for all.

    Helpers in want of a CPU are seen by looks only; without any, those that had one count.
    """
    helpers = max(sums.per_run(sums.helper_cpu), in_a_run(sums, sums.seen_helper_ready))
    ready = sums.per_run(sums.cpu + sums.delayed) + helpers
    return ready / sums.per_run(sums.run) if sums.run else 0.0


def free_share(by_itself: Sums, in_company: Sums) -> float | None:
    """Return which share of its CPU time a call needs no GIL for; None if that was not seen.

    Most code holds the GIL: it takes more than a look or two to believe otherwise.
    """
    in_calls = _in_system_calls(by_itself.plus(in_company))
    alone, others = seen_at_work(by_itself), seen_at_work(in_company)
    if not alone + others:
        return max(in_calls, _never_asleep(in_company)) or None
    if alone >= _ENOUGH_LOOKS:
        others = 0.0
    free = alone * _free_by_itself(by_itself) + others * _free_in_company(in_company)
    return max(in_calls, free / (alone + others + _DOUBT))


def _in_system_calls(sums: Sums) -> float:
    """Return the share of CPU time in system calls, if it is large.

    Whoever reads files out of the page cache, or writes, computes in the kernel and without the
    GIL, in pieces that may be too short to be seen. A small share is the memory that any code asks
    for, with the GIL.
    """
    if not sums.cpu or _fights(sums):
        return 0.0
    share = sums.system_cpu / sums.cpu
    return min(1.0, share) if share > _MOSTLY else 0.0


def _free_by_itself(sums: Sums) -> float:
    """Return the share of CPU time without the GIL, of runs that had their process to themselves.

    The probe needs the GIL to look: a call that holds it then waits to have it back, which is a
    context switch by its own will, unless it has ended. More looks than that did not find it held,
    whatever they took the busy machine for.
    """
    seconds, at_work = observed(sums), sums.held + sums.free
    if not at_work:
        return 0.0
    found_held = sums.looks * sums.held / seconds * min(1.0, sums.run / seconds)
    switches = sums.voluntary + sums.runs
    believed = min(1.0, switches / found_held) if found_held and sums.runs else 1.0
    return 1.0 - believed * sums.held / at_work


def _free_in_company(sums: Sums) -> float:
    """Return the share of CPU time without the GIL, of runs beside which others ran.

    They wait for the GIL as well, so that `held` says nothing. But what runs without it is on a CPU
    or ready to be: set that against CPU time and delay. Where it is given up for short pieces of
    work only, the fight for it costs more than that gains.
    """
    if _fights(sums):
        return 0.0
    seconds = observed(sums)
    if not seconds or not sums.cpu:
        return _free_by_itself(sums)
    free = sums.run * sums.free / seconds
    return min(1.0, max(_never_asleep(sums), free / (sums.cpu + _delayed(sums))))


def _fights(sums: Sums) -> bool:
    """Tell whether the threads of the runs went to sleep so often that it was for the GIL."""
    return sums.cpu > 0 and sums.voluntary / sums.cpu > _RESTLESS


def _never_asleep(sums: Sums) -> float:
    """Return the share of CPU time without the GIL of runs that others clearly did not hold up.

    Who needs the GIL sleeps while another has it, so that of all calls together only one at a time
    is ready to run with it, but for those that wake up to ask for it, and for the first slice of
    each, which nobody disturbs. So many are ready in the mean, each for its CPU time and delay: all
    but one of them need no GIL. It is 0 where that is not clear. What runs of other functions do
    says nothing of these.
    """
    if not sums.run:
        return 0.0
    ready = sums.per_run(sums.cpu + sums.delayed) - _SLICE
    together = at_a_time(sums) * (ready / sums.per_run(sums.run) - _WAKING)
    return 1.0 - 1.0 / together if together > _CLEARLY else 0.0


def _delayed(sums: Sums) -> float:
    """Return for how long the runs were ready and no CPU was free: measured, or as it was seen."""
    return max(sums.delayed, in_a_run(sums, sums.seen_delayed) * sums.runs)


def in_a_run(sums: Sums, seen: float) -> float:
    """Return how much of `seen`, one of the sums over looks, belongs to a run in the mean."""
    seconds = observed(sums)
    return sums.per_run(sums.run) * seen / seconds if seconds else 0.0


def observed(sums: Sums) -> float:
    """Return the seconds of calls that looks stand for."""
    return sums.held + sums.free + sums.waiting


def seen_at_work(sums: Sums) -> float:
    """Return how many looks found a call at work, with the GIL or without, or in want of it."""
    return sums.looks - seen_waiting(sums)


def seen_waiting(sums: Sums) -> float:
    seconds = observed(sums)
    return sums.looks * sums.waiting / seconds if seconds else 0.0
