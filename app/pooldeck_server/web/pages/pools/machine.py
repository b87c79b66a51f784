"""The machine under the pools, once for all of them: its CPUs, its memory, how much is wanted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pooldeck_server.domain.pools.memory import PoolMemory
from pooldeck_server.domain.pools.sizes import Machine, SizeAdvice
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, ngettext
from pooldeck_server.web.text.sizes import crowding_sentences


@dataclass(frozen=True)
class ShownMachine:
    """The machine as the page of the pools shows it; `sentences` are what is to be told of it."""

    facts: Sequence[tuple[str, str]]
    sentences: Sequence[str]


def shown_machine(advice: SizeAdvice, memory: PoolMemory) -> ShownMachine:
    """Return the machine, by what is known of any pool that lives on it."""
    return ShownMachine(
        facts=tuple(_facts(advice, memory)), sentences=tuple(crowding_sentences(advice))
    )


def _facts(advice: SizeAdvice, memory: PoolMemory) -> Iterator[tuple[str, str]]:
    machine = advice.machine
    yield _("CPUs"), _cpus(machine)
    yield _("Slots of all pools that compute"), formats.count(advice.computing)
    if machine.load is not None:
        yield _("Load average"), formats.rate(machine.load[0])
    if machine.pressure is not None:
        yield _("Waited for a CPU in the last minute"), formats.share(machine.pressure.avg60)
    yield _("Memory of server and pools"), _memory(memory)


def _cpus(machine: Machine) -> str:
    by = ngettext("%(num)s by affinity", "%(num)s by affinity", machine.affinity)
    if machine.quota is not None:
        by += ", " + _("%(cpus)s by cgroup", cpus=formats.rate(machine.quota))
    return f"{formats.count(machine.cpus)} ({by})"


def _memory(memory: PoolMemory) -> str:
    held = formats.size(memory.held + memory.others)
    if memory.available is None:
        return held
    return f"{held} {_('of %(n)s', n=formats.size(memory.available))}"
