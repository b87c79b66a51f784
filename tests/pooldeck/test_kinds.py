"""What a kind of pool knows, and that nobody else guesses it from a name."""

import ast
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from pooldeck.kinds import KINDS, Ending, Kind, PoolKind, cheapest
from pooldeck_server.web.text.kinds import kind_words

ROOT: Final = Path(__file__).parents[2]
NAMES: Final = {kind.value for kind in PoolKind} | {kind.many for kind in KINDS.values()}
PLACES: Final = {
    "pooldeck/kinds.py": "what a kind means",
    "pooldeck/worker/__main__.py": "what runs the calls, by kind",
    "pooldeck/embedded/engine.py": "a ProcessPool is made of processes",
    "pooldeck/resources.py": "the scope of a resource has the same two names",
    "app/pooldeck_server/inline/functions.py": "the double has the pools that there are by default",
    "app/pooldeck_server/remote/tune.py": "an option for each kind",
    "app/pooldeck_server/settings/pools.py": "the threads of native libraries, counted",
    "app/pooldeck_server/settings/sources.py": "the pools that there are without settings",
    "app/pooldeck_server/web/text/kinds.py": "what a kind is called",
    "app/pooldeck_server/web/text/notice_words.py": "a process of another server, in a sentence",
    "app/pooldeck_server/web/api/experiments.py": "an example in JSON",
    "app/pooldeck_server/store/tables/columns.py": "a column with the number of a thread",
    "app/pooldeck_server/store/records/attempts.py": "the same",
    "app/pooldeck_server/store/queries/timeline.py": "the same",
    "app/pooldeck_server/domain/pools/starts.py": "processes of the operating system, counted",
    "pooldeck/worker/risks/stateful.py": "the module `_thread` of the standard library",
}


@cache
def sources() -> Mapping[str, Sequence[ast.AST]]:
    """Return the sources by their paths, each as all its pieces."""
    paths = [path for folder in ("pooldeck", "app") for path in (ROOT / folder).rglob("*.py")]
    return {
        str(path.relative_to(ROOT)): list(ast.walk(ast.parse(path.read_text()))) for path in paths
    }


def named(node: ast.AST) -> bool:
    """Tell whether a piece of source names one kind."""
    match node:
        case ast.Constant(value=str(text)):
            return text in NAMES
        case ast.Attribute(value=ast.Name(id="PoolKind")):
            return True
    return False


def test_a_kind_is_named_in_its_own_module_and_at_the_edges_only() -> None:
    found = {name for name, pieces in sources().items() if any(map(named, pieces))}
    assert found == PLACES.keys()


def test_a_kind_is_compared_with_a_name_nowhere() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, pieces in sources().items()
        for node in pieces
        if isinstance(node, ast.Compare | ast.MatchValue)
        and any(map(named, ast.walk(node)))
        and name != "pooldeck/resources.py"  # the scope of a resource is not a kind of pool
    ]
    assert not found


@pytest.mark.parametrize("path", ["templates/**/*.html", "static/js/*.js"])
def test_neither_templates_nor_scripts_compare_a_kind_with_a_name(path: str) -> None:
    for file in ROOT.glob(path):
        text = file.read_text()
        for kind in PoolKind:
            assert f'== "{kind}"' not in text, file


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_has_as_many_slots_as_its_size_whatever_its_workers(kind: Kind) -> None:
    for size in (1, 2, 7):
        assert kind.workers(size) * kind.slots_per_worker(size) == size
        assert kind.gils(size) == kind.workers(size)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_only_a_call_that_is_alone_ends_with_its_worker(kind: Kind) -> None:
    assert kind.can_kill == (kind.ending_of(is_command=False) is Ending.WORKER_ENDED)
    assert kind.can_kill <= kind.is_alone


def test_default_sizes_are_those_of_the_stdlib() -> None:
    threads, processes = KINDS[PoolKind.THREAD], KINDS[PoolKind.PROCESS]
    assert (threads.default_size(2), threads.default_size(64)) == (6, 32)
    assert processes.default_size(4) == 4


def test_each_kind_has_words() -> None:
    for name, kind in KINDS.items():
        assert kind_words(name).many == kind.many
        assert kind_words(name).counted(1) == kind.counted(1)
        assert kind_words(name).counted(8) == kind.counted(8)


def test_threads_are_cheaper_than_processes() -> None:
    assert cheapest(is_alone=False) is PoolKind.THREAD
    assert cheapest(is_alone=True) is PoolKind.PROCESS
    assert list(KINDS) == list(PoolKind)
