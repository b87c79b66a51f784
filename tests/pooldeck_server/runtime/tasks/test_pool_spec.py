"""What a pool is made of follows its settings."""

import pytest

from pooldeck.access import Access
from pooldeck.cpus import usable_cpus
from pooldeck.pools.model import CodeSpec
from pooldeck_server.runtime.tasks.pool_spec import pool_spec
from pooldeck_server.settings import PoolSettings, Settings


@pytest.mark.parametrize(
    ("size", "given", "threads"), [(1, None, usable_cpus()), (1000, None, 1), (2, 3, 3), (2, 0, 0)]
)
def test_the_threads_of_native_libraries_follow_the_setting_and_the_present_size(
    size: int, given: int | None, threads: int
) -> None:
    pools = {"cpu": PoolSettings(kind="process", size=1, threads_per_task=given)}
    access = Access("/nowhere", b"key")

    spec = pool_spec("cpu", Settings(pools=pools), CodeSpec(), size, access)

    assert spec.threads_per_task == threads
