"""What is said of hosts: how surely something is known stands in the words."""

import pytest

from pooldeck.hosts.model import GoneBy
from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.pools.hosts import HostHealth
from pooldeck_server.web.text.hosts import contact_words, count_words, task_words, worker_name
from pooldeck_server.web.text.i18n import speaking
from pooldeck_server.web.text.zones import times_in
from tests.support.hosts import NOW, TASK, host

SILENT = host(state="no_contact", tasks=(TASK,))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (host(), ""),
        (
            SILENT,
            (
                "No contact since 00:53:20 UTC. 1 task may run on there: it is lost at "
                "00:53:40 UTC, unless the host comes back."
            ),
        ),
        (host(state="no_contact"), "No contact since 00:53:20 UTC. Nothing ran there."),
        (
            host(state="no_contact", tasks=(TASK, TASK), lost_at=None),
            "No contact since 00:53:20 UTC. 2 tasks may run on there.",
        ),
        (host(state="draining"), "It finishes what runs there, and is handed nothing new."),
        (
            host(state="refused", reason="it has another Python"),
            "It was refused at 00:53:20 UTC: It has another Python.",
        ),
    ],
)
def test_what_is_known_of_a_host_is_said_with_its_times(found: HostHealth, words: str) -> None:
    assert contact_words(found).casefold().rstrip(".") == words.casefold().rstrip(".")


def test_how_it_is_known_that_a_host_is_gone_is_said() -> None:
    said = {
        by: contact_words(host(state="gone", gone_at=NOW + SECOND, gone_by=by)) for by in GoneBy
    }
    assert all("since 00:53:21 UTC" in words for words in said.values())
    assert "it ended, and said so" in said[GoneBy.OWN_WORD]
    assert "the next host process" in said[GoneBy.SUCCESSOR]
    assert "its lease was over" in said[GoneBy.LEASE]


def test_of_a_task_it_is_said_until_when_nobody_knows_whether_it_runs() -> None:
    assert task_words(SILENT) == (
        "No contact since 00:53:20 UTC: it may run on. Lost at 00:53:40 UTC, unless the host "
        "comes back."
    )
    assert task_words(host()) == task_words(None) == ""


def test_times_are_those_of_the_reader() -> None:
    with times_in("Asia/Shanghai"), speaking("zh-Hans"):
        assert "08:53:40 UTC+8" in task_words(SILENT)
        assert "失去联系" in task_words(SILENT)


def test_hosts_are_counted_and_the_one_that_is_missed_is_named() -> None:
    silent = [host(name, "no_contact") for name in ("b", "c")]
    assert count_words([]) == count_words([host(state="gone")]) == "no host"
    assert count_words([host()]) == "1 host"
    assert count_words([host(), silent[0]]) == "2 hosts, no contact with b"
    assert count_words([host(), *silent]) == "3 hosts, no contact with 2 of them"


def test_a_worker_is_called_by_its_host_and_its_number() -> None:
    assert worker_name("big@node.example.ab12cd-3") == "node.example-3"
    assert worker_name("cpu-17") == "cpu-17"
