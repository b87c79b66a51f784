"""Workers of a process pool share the CPUs, whatever native libraries would like."""

import asyncio
import sys
from typing import Any

import pytest

from pooldeck.cpus import usable_cpus
from tests.support.pooled import pool

pytest.importorskip("numpy", reason="its BLAS starts the threads that are counted here")
pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="threads are counted in /proc"
)

SEVERAL = 2  # threads; BLAS starts no more than there are CPUs


async def inverted(kind: str, size: int, *args: str, threads: int | None) -> dict[str, Any]:
    options = {"modules": ("native_functions",), "native_threads": threads}
    async with pool(kind, size, **options) as listener:  # type: ignore[arg-type]
        listener.call("t", "native_functions.invert", *args)
        found: dict[str, Any] = await listener.result("t")
        return found


def invert(kind: str, size: int, *args: str, threads: int | None = None) -> dict[str, Any]:
    return asyncio.run(inverted(kind, size, *args, threads=threads))


@pytest.fixture(autouse=True)
def nobody_has_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


def test_beside_other_processes_a_call_computes_on_its_part_of_the_cpus() -> None:
    assert invert("process", usable_cpus()) == {"threads": 1, "variable": "1"}


@pytest.mark.skipif(usable_cpus() < SEVERAL, reason="there is nothing to divide")
def test_who_has_all_cpus_to_itself_computes_on_all_of_them() -> None:
    cpus = usable_cpus()
    assert invert("process", 1) == {"threads": cpus, "variable": str(cpus)}
    assert invert("thread", 1) == {"threads": cpus, "variable": None}


@pytest.mark.skipif(usable_cpus() < SEVERAL, reason="there is nothing to divide")
def test_who_sets_the_variable_keeps_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    by_itself = invert("process", usable_cpus(), str(SEVERAL))
    by_setting = invert("process", usable_cpus(), threads=SEVERAL)
    monkeypatch.setenv("OMP_NUM_THREADS", str(SEVERAL))
    by_environment = invert("process", usable_cpus(), threads=1)

    assert [by_itself, by_setting, by_environment] == [
        {"threads": SEVERAL, "variable": str(SEVERAL)}
    ] * 3


def test_a_pool_can_leave_it_to_the_libraries() -> None:
    assert invert("process", usable_cpus(), threads=0) == {
        "threads": usable_cpus(),
        "variable": None,
    }
