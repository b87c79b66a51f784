"""Processes are found and ended by the marks that they inherited, and nobody else is touched."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pooldeck import marks_elsewhere
from pooldeck.marks import _end, _matcher, marked, sweep
from tests.support.marked_processes import (
    BREED,
    FAMILY,
    HOLD_THE_GIL,
    WAIT,
    descriptors,
    lives,
    marks,
    new_boot,
    process,
    said,
)


def test_a_process_is_found_by_its_boot_and_its_worker() -> None:
    boot = new_boot()
    with process(WAIT, marks(boot)) as first, process(WAIT, marks(boot, "cpu-2")) as second:
        said(first), said(second)
        assert sorted(marked(boot)) == sorted([first.pid, second.pid])
        assert marked(boot, "cpu-2") == [second.pid]
        assert marked(boot, "cpu-3") == []
    assert marked(boot) == []


def test_a_mark_is_compared_as_a_whole() -> None:
    boot = new_boot()
    similar = [
        marks(boot + "0", "cpu-1"),
        marks("0" + boot, "cpu-1"),
        {**os.environ, "MY_POOLDECK_BOOT": boot},
        {**os.environ, "NOTE": f"POOLDECK_BOOT={boot}"},
    ]
    for environment in similar:
        with process(WAIT, environment) as other:
            said(other)
            assert marked(boot) == []
    with process(WAIT, marks(boot, "cpu-10")) as tenth:
        said(tenth)
        assert marked(boot, "cpu-1") == []


def test_an_environment_of_any_size_is_read_to_its_end() -> None:
    boot = new_boot()
    environment = {f"FILLING_{number}": "x" * 50_000 for number in range(5)} | marks(boot)
    with process(WAIT, environment) as filled:
        said(filled)
        assert marked(boot) == [filled.pid]


def test_the_caller_is_neither_found_nor_ended() -> None:
    boot = new_boot()
    program = f"from pooldeck.marks import *; print(marked({boot!r}), sweep([{boot!r}]))"
    with process(program, marks(boot)) as caller:
        assert said(caller) == "[] 0"
        assert caller.wait(20) == 0


def test_a_zombie_is_not_found() -> None:
    boot = new_boot()
    with process("", marks(boot)) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert marked(boot) == []


@pytest.mark.parametrize("program", [WAIT, HOLD_THE_GIL])
def test_a_sweep_returns_when_the_processes_have_ended(program: str) -> None:
    boot = new_boot()
    with process(program, marks(boot)) as one:
        said(one)
        assert sweep([boot]) == 1
        assert not lives(one.pid)
        assert one.wait() == -signal.SIGKILL  # the exit status is still its parent's to take


def test_what_left_its_group_its_session_and_its_parent_is_ended_too() -> None:
    boot = new_boot()
    with process(FAMILY, marks(boot)) as parent:
        grandchild = int(said(parent))
        assert sweep([boot]) == 2
        assert not lives(grandchild)
        assert not lives(parent.pid)


def test_a_sweep_looks_again_for_what_was_forked_meanwhile() -> None:
    boot = new_boot()
    with process(BREED, marks(boot)) as parent:
        said(parent)
        assert sweep([boot]) >= 1
        assert marked(boot) == []


def test_more_processes_than_there_are_descriptors_for_are_ended() -> None:
    boot = new_boot()
    program = f"""
import os, resource, signal
from pooldeck.marks import marked, sweep
for _ in range(300):
    if not os.fork():
        signal.pause()
resource.setrlimit(resource.RLIMIT_NOFILE, (280, 280))
sweep([{boot!r}])
print(sum(os.wait()[1] == signal.SIGKILL for _ in range(300)), marked({boot!r}))
"""
    with process(program, marks(boot)) as parent:
        assert said(parent) == "300 []"


def test_a_sweep_for_one_worker_leaves_the_others() -> None:
    boot = new_boot()
    with process(WAIT, marks(boot)) as meant, process(WAIT, marks(boot, "cpu-2")) as other:
        said(meant), said(other)
        assert sweep([boot], "cpu-1") == 1
        assert (lives(meant.pid), lives(other.pid)) == (False, True)


def test_a_sweep_takes_the_processes_of_several_boots_and_of_no_other() -> None:
    boots = [new_boot() for _ in range(3)]
    with (
        process(WAIT, marks(boots[0])) as first,
        process(WAIT, marks(boots[1])) as second,
        process(WAIT, marks(boots[2])) as third,
    ):
        said(first), said(second), said(third)
        assert sweep(boots[:2]) == 2
        assert marked(boots[2]) == [third.pid]
        assert sweep([]) == 0
        assert lives(third.pid)


def test_what_is_spared_lives_on() -> None:
    boot = new_boot()
    with process(WAIT, marks(boot)) as meant, process(WAIT, marks(boot)) as spared:
        said(meant), said(spared)
        assert sweep([boot], spare=[spared.pid]) == 1
        assert lives(spared.pid)


def test_a_process_that_does_not_carry_the_mark_any_more_is_not_killed() -> None:
    """As where an id was given to somebody else between the look and the kill."""
    with process(WAIT, marks(new_boot())) as other:
        said(other)
        assert _end([other.pid], _matcher([new_boot()], None)) == 0
        assert lives(other.pid)


def test_a_sweep_leaves_no_descriptor_open() -> None:
    before = descriptors()
    for _ in range(5):
        test_a_sweep_takes_the_processes_of_several_boots_and_of_no_other()
    assert descriptors() < before + 5  # something else may happen to open one meanwhile


def test_the_same_is_done_without_proc() -> None:
    boot = new_boot()
    one, two = (_matcher([boot], worker) for worker in ("cpu-1", "cpu-2"))
    with process(WAIT, marks(boot)) as meant, process(WAIT, marks(boot, "cpu-2")) as other:
        said(meant), said(other)
        assert marks_elsewhere.find(one) == [meant.pid]
        assert marks_elsewhere.end([meant.pid, other.pid], one, 20.0) == 1
        assert (lives(meant.pid), lives(other.pid)) == (False, True)
        assert meant.wait() == -signal.SIGKILL
        assert marks_elsewhere.find(one) == []
        assert marks_elsewhere.find(two) == [other.pid]


def test_looking_loads_next_to_nothing() -> None:
    """The keeper is this file, and stays for as long as the server: it must be small."""
    source = Path(sys.modules["pooldeck.marks"].__file__ or "")
    program = (
        "import sys; __name__ = 'marks'; exec(open(sys.argv[1]).read());"
        "print({'typing', 'asyncio', 're', 'pathlib', 'msgspec', 'psutil'} & set(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-S", "-c", program, source], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "set()"
