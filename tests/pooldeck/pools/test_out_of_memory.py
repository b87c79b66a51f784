"""A death is called probably out of memory only where the kernel counted one."""

from pathlib import Path

import pytest

from pooldeck.pools.out_of_memory import MemoryWatch, out_of_memory

_MIB = 1 << 20
_GIB = 1 << 30
_EVENTS = "low 0\nhigh 0\nmax 31\noom 3\noom_kill {}\noom_group_kill 0\n"
_CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"
_MACHINE = {
    "proc/vmstat": "nr_free_pages 12\noom_kill 40\n",
    "proc/meminfo": "MemTotal:        8388608 kB\nMemFree:          12 kB\n",
}


def _system(root: Path, *layers: dict[str, str]) -> MemoryWatch:
    """Lay out the files of a system and watch it."""
    for layer in layers:
        for name, content in layer.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    return MemoryWatch(root)


def _version_2(*, path: str = "/app.slice/pooldeck", kills: int = 2) -> dict[str, str]:
    return {
        "proc/self/cgroup": f"0::{path}\n",
        "sys/fs/cgroup/app.slice/pooldeck/memory.events": _EVENTS.format(kills),
        "sys/fs/cgroup/app.slice/memory.events": _EVENTS.format(kills + 7),
        "sys/fs/cgroup/app.slice/pooldeck/memory.max": "max\n",
        "sys/fs/cgroup/app.slice/memory.max": f"{4 * _GIB}\n",
    }


def _version_1() -> dict[str, str]:
    memory = "sys/fs/cgroup/memory/docker/0123"
    return {
        "proc/self/cgroup": "5:cpu,cpuacct:/other\n4:memory:/docker/0123\n0::/\n",
        f"{memory}/memory.oom_control": _CONTROL.format(5),
        f"{memory}/memory.limit_in_bytes": f"{512 * _MIB}\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    }


def test_the_own_control_group_counts_first(tmp_path: Path) -> None:
    assert _system(tmp_path, _version_2(), _MACHINE).oom_kills() == 2


def test_a_limit_further_up_holds_below_too(tmp_path: Path) -> None:
    assert _system(tmp_path, _version_2(), _MACHINE).limit_bytes() == 4 * _GIB


def test_a_group_without_the_memory_controller_is_counted_above(tmp_path: Path) -> None:
    watch = _system(tmp_path, _version_2(path="/app.slice/pooldeck/inner"), _MACHINE)
    assert watch.oom_kills() == 2


def test_version_1_keeps_its_account_elsewhere(tmp_path: Path) -> None:
    watch = _system(tmp_path, _MACHINE, _version_1())
    assert (watch.oom_kills(), watch.limit_bytes()) == (5, 512 * _MIB)


def test_a_container_is_shown_the_path_on_its_host(tmp_path: Path) -> None:
    mounted = {
        "proc/self/cgroup": "4:memory:/docker/0123\n",
        "sys/fs/cgroup/memory/memory.oom_control": _CONTROL.format(5),
        "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{_GIB}\n",
    }
    watch = _system(tmp_path, _MACHINE, mounted)
    assert (watch.oom_kills(), watch.limit_bytes()) == (5, _GIB)


def test_without_control_groups_the_whole_system_counts(tmp_path: Path) -> None:
    watch = _system(tmp_path, _MACHINE, {"proc/self/cgroup": "0::/\n"})
    assert (watch.oom_kills(), watch.limit_bytes()) == (40, 8 * _GIB)


def test_a_limit_above_the_machines_memory_is_none(tmp_path: Path) -> None:
    high = {"sys/fs/cgroup/app.slice/memory.max": f"{64 * _GIB}\n"}
    assert _system(tmp_path, _version_2(), high, _MACHINE).limit_bytes() == 8 * _GIB


def test_a_system_that_counts_nothing_is_not_guessed_about(tmp_path: Path) -> None:
    watch = MemoryWatch(tmp_path)
    assert (watch.oom_kills(), watch.limit_bytes()) == (None, None)


def test_a_later_count_is_read_anew(tmp_path: Path) -> None:
    watch = _system(tmp_path, _version_2(kills=0))
    before = watch.oom_kills()
    _system(tmp_path, _version_2(kills=1))
    assert out_of_memory(before, watch.oom_kills(), 3 * _GIB, 4 * _GIB) is not None


def test_this_machine_has_memory() -> None:
    limit = MemoryWatch().limit_bytes()
    assert limit is None or limit > _MIB


@pytest.mark.parametrize(
    ("peak", "limit", "words"),
    [
        (int(3.9 * _GIB), 4 * _GIB, "probably out of memory: 3.9 of 4.0 GiB"),
        (500 * _MIB, 512 * _MIB, "probably out of memory: 500 of 512 MiB"),
        (500 * _MIB, 2 * _GIB, "probably out of memory: 0.5 of 2.0 GiB"),
        (500 * _MIB, None, "probably out of memory: 500 MiB"),
        (3 * _GIB, None, "probably out of memory: 3.0 GiB"),
    ],
)
def test_the_words_name_how_much_of_how_much(peak: int, limit: int | None, words: str) -> None:
    assert out_of_memory(0, 1, peak, limit) == words


@pytest.mark.parametrize(("before", "after"), [(1, 1), (2, 1), (None, 1), (1, None), (None, None)])
def test_nothing_is_said_where_the_count_did_not_rise(
    before: int | None, after: int | None
) -> None:
    assert out_of_memory(before, after, _GIB, _GIB) is None
