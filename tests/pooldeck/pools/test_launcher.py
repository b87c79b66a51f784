"""What workers inherit of the server's environment."""

import pytest

from pooldeck.cpus import usable_cpus
from pooldeck.kinds import PoolKind
from pooldeck.marks import BOOT, WORKER
from pooldeck.pools.launcher import worker_environment
from pooldeck.pools.model import PoolSpec
from pooldeck.pools.native_threads import THREAD_VARIABLES
from pooldeck.protocol import Limits, Setup


def setup(threads: int = 0) -> Setup:
    return Setup("cpu-1", "cpu", PoolKind.PROCESS, 1, [], None, Limits(), threads_per_task=threads)


@pytest.mark.parametrize("name", ["POOLDECK_TOKEN", "pooldeck_token", "Pooldeck_Token"])
def test_the_token_stays_with_the_server_however_it_is_written(name: str) -> None:
    inherited = worker_environment({name: "a-secret-of-the-server", "LANG": "C"}, "b", setup())

    assert inherited == {"LANG": "C", BOOT: "b", WORKER: "cpu-1"}


def test_native_libraries_are_told_how_many_threads_to_start() -> None:
    told = worker_environment({}, "b", setup(threads=3))

    assert {name: told[name] for name in THREAD_VARIABLES} == dict.fromkeys(THREAD_VARIABLES, "3")


@pytest.mark.parametrize("name", THREAD_VARIABLES)
def test_who_sets_such_a_variable_keeps_its_value(name: str) -> None:
    assert worker_environment({name: "7"}, "b", setup(threads=3))[name] == "7"


@pytest.mark.parametrize(
    ("kind", "size", "given", "threads"),
    [
        (PoolKind.PROCESS, 1, None, usable_cpus()),
        (PoolKind.PROCESS, usable_cpus(), None, 1),
        (PoolKind.PROCESS, 8 * usable_cpus(), None, 1),
        (PoolKind.THREAD, 1, None, 0),  # they may be meant to use all CPUs from one process
        (PoolKind.PROCESS, 4, 2, 2),
        (PoolKind.THREAD, 4, 2, 2),
        (PoolKind.PROCESS, 4, 0, 0),
    ],
)
def test_processes_share_the_cpus_unless_the_settings_say_otherwise(
    kind: PoolKind, size: int, given: int | None, threads: int
) -> None:
    spec = PoolSpec("p", kind, size, (), native_threads=given)

    assert spec.threads_per_task == threads
