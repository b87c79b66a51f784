"""What the pages show of hosts: the section of the pools' page, the tiles, the questions."""

import pytest
from markupsafe import Markup

from pooldeck.kinds import PoolKind
from pooldeck_server.advice.sizes import size_advice
from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.pools.controls import PoolControl
from pooldeck_server.domain.pools.health import PoolHealth, SlotHealth, WorkerHealth
from pooldeck_server.domain.pools.memory import PoolMemory
from pooldeck_server.domain.pools.sizes import Machine, SizedPool, SizeOrigin
from pooldeck_server.settings import PoolSettings
from pooldeck_server.web.pages.pools import confirm
from pooldeck_server.web.pages.pools.sizes import meaning_on_hosts
from pooldeck_server.web.pages.pools.view import pool_section
from pooldeck_server.web.pages.shared.rendering import environment
from pooldeck_server.web.pages.shared.tiles import slot_state
from pooldeck_server.web.text.i18n import speaking
from tests.support.hosts import NOW, TASK, host, hosted

BUSY = SlotHealth("t1", "acme.render", 7.0)


def worker(name: str = "host-a", state: str = "busy") -> WorkerHealth:
    return WorkerHealth(f"big@{name}.ab12cd-3", 7, state, NOW, 0, (BUSY,), host=name)


def drawn(macro: str, pool: PoolHealth) -> str:
    file, _, name = macro.partition(":")
    source = f'{{% from "{file}" import {name} %}}{{{{ {name}(pool, now) }}}}'
    if name == "pool":
        source = f'{{% from "{file}" import pool as card %}}{{{{ card(pool, none, {{}}) }}}}'
    return environment().from_string(source).render(pool=pool, now=NOW + 5 * SECOND)


def section(pool: PoolHealth) -> str:
    return Markup(drawn("pools/hosts.html:hosts", pool)).striptags()


def test_each_host_stands_there_with_what_is_known_of_it() -> None:
    silent = host("b", "no_contact", tasks=(TASK,), busy=1)
    refused = host("c", "refused", reason="it has another Python")

    words = section(hosted(host(has={"gpu": 1.0}, busy=2), silent, refused, engine="no scheduler"))

    assert "attached" in words
    assert "Busy 2 of 2 Load 1.3 of 8 CPUs Memory 8.0 GiB of 32 GiB gpu 1" in words
    assert "python 3.11.7, pooldeck 1.0" in words
    assert "it is lost at 00:53:40 UTC, unless the host comes back" in words
    assert "It has another Python" in words
    assert "no scheduler" in words


def test_only_a_host_on_which_something_may_run_can_be_drained_or_ended() -> None:
    page = drawn(
        "pools/hosts.html:hosts",
        hosted(host("a"), host("b", "draining"), host("c", "gone"), host("d", "refused")),
    )

    assert 'action="/pools/big/hosts/a/drain"' in page
    assert 'href="/pools/big/hosts/a/end"' in page
    assert "hosts/b/drain" not in page
    assert "hosts/b/end" in page
    assert "hosts/c" not in page
    assert "hosts/d" not in page


def test_a_pool_that_waits_for_its_first_host_says_how_one_is_started() -> None:
    assert "pooldeck host --pool big" in section(hosted())


def test_the_section_speaks_chinese() -> None:
    with speaking("zh-Hans"):
        assert "失去联系" in section(hosted(host(state="no_contact")))
        assert "could not be loaded" not in section(
            hosted(host(reason="the module work could not be loaded: ImportError\n\nTraceback"))
        )


def test_the_card_of_a_pool_counts_its_hosts_and_the_tiles_name_them() -> None:
    card = drawn("deck/macros.html:pool", hosted(host(), workers=(worker(),)))

    assert '<a href="/pools#hosts-big" data-field="hosts">1 host</a>' in card
    assert ">host-a-3</bdi>" in card
    assert 'title="big@host-a.ab12cd-3"' in card


def test_the_card_marks_a_host_that_is_missed() -> None:
    for pool in (hosted(), hosted(host(state="no_contact"))):
        assert "data-amiss" in drawn("deck/macros.html:pool", pool)


def test_the_card_of_a_pool_on_this_machine_says_nothing_of_hosts() -> None:
    card = drawn("deck/macros.html:pool", hosted(hosts=None))

    assert "host" not in card


def test_what_runs_on_a_host_without_contact_is_not_said_to_run() -> None:
    assert slot_state(worker(state="no_contact"), BUSY) == "no_contact"
    assert slot_state(worker(), BUSY) == "busy"


@pytest.mark.parametrize(
    ("workers", "words"),
    [
        ((worker(), worker("host-b")), "1 task runs there: it is cut off, and lost unless"),
        ((worker("host-b"),), "No task runs there."),
    ],
)
def test_the_question_before_a_host_is_ended_says_what_that_costs(
    workers: tuple[WorkerHealth, ...], words: str
) -> None:
    question = confirm.end_host(hosted(host(), workers=workers), host())

    assert words in " ".join(question.sentences)
    assert question.action == "/pools/big/hosts/host-a/end"
    assert question.asks_reason


def test_a_number_of_hosts_can_be_asked_for_where_an_engine_places_them() -> None:
    by_hand = PoolControl("big", None, 2, hosts=5, configured_hosts=3)
    asked = settings(hosted(host(), host("b"), wanted_hosts=5, controls=by_hand))

    assert 'action="/pools/big/hosts"' in asked
    assert 'value="5"' in asked
    assert "Slots on each host" in asked
    assert "Hosts2 of 5, by hand, configured 3" in " ".join(Markup(asked).striptags().split())
    assert 'action="/pools/big/hosts"' not in settings(hosted(host()))


def settings(pool: PoolHealth) -> str:
    """Return the section of a pool on the page of pools."""
    idle = SizedPool("big", PoolKind.PROCESS, 2, SizeOrigin("default", 2))
    shown = pool_section(
        *(pool, PoolSettings(kind="process"), ()),
        homes={},
        advice=size_advice(idle, Machine(cpus=2, affinity=2), [idle]),
        memory=PoolMemory(PoolKind.PROCESS, 2, 2, 0, 0, worker_limit=0, available=None, others=0),
    )
    source = (
        '{% from "pools/macros.html" import pool_section as drawn %}{{ drawn(each, none, 9, 0) }}'
    )
    return environment().from_string(source).render(each=shown)


def test_a_size_is_that_of_each_host() -> None:
    pool = hosted(host("a"), host("b"), host("c", "gone"))
    assert meaning_on_hosts(3, pool) == "3 slots on each host, 6 on the hosts that are there."
