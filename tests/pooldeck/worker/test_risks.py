"""What is seen in a function's code that its calls would share, and what is not taken for that."""

import functools
import io
import linecache
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pooldeck.kinds import PoolKind
from pooldeck.risks import Risk, RiskKind, risks_in
from pooldeck.worker.risks import Seen, Sources, look

PREAMBLE = """
    import contextlib, functools, heapq, io, itertools, logging, os, random, re, signal, sqlite3
    import sys, threading, time, warnings
    import os as operating
    from collections import defaultdict, deque
    from contextlib import redirect_stdout as elsewhere
    from dataclasses import dataclass
    from os import chdir as go, environ
    from tempfile import TemporaryDirectory

    number, names, table, seen, queue = 0, [], {"a": 1}, set(), deque()
    numbers, slips, rng = itertools.count(), sqlite3.connect(":memory:"), random.Random(1)
    take = numbers.__next__
    log, lock, pattern = logging.getLogger("x"), threading.Lock(), re.compile("x")
    local, pairs, connections = threading.local(), (1, "a"), {"one": slips}

    class Basket:
        count = 0
        def __init__(self):
            self.items = []
        def enter(self):
            signal.alarm(1)
        @property
        def folder(self):
            return os.umask(0)

    @dataclass(frozen=True)
    class Fixed:
        size: int = 1

    basket, fixed = Basket(), Fixed()

    def enter(folder):
        os.chdir(folder)

    def deeper(folder):
        enter(folder)

    @functools.lru_cache
    def cached(folder):
        enter(folder)

    bound = functools.partial(deeper, "/")

    def counted(function):
        calls, kept = 0, {}
        @functools.wraps(function)
        def wrapper(*args):
            nonlocal calls
            calls += 1
            kept[args] = function(*args)
            return kept[args]
        return wrapper
"""


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Callable[[str], ModuleType]]:
    """Make modules out of sources, below the preamble."""
    modules: list[ModuleType] = []

    def make(source: str) -> ModuleType:
        text = textwrap.dedent(PREAMBLE) + textwrap.dedent(source)
        file = tmp_path / f"risky{len(list(tmp_path.iterdir()))}.py"
        file.write_text(text)
        made = ModuleType(file.stem)
        made.__file__ = str(file)
        exec(compile(text, str(file), "exec"), vars(made))
        modules.append(made)
        return made

    yield make
    for made in modules:
        vars(made)["slips"].close()


def seen(function: Any) -> Seen:
    return look(function, Sources())


def kinds_and_names(function: Any) -> list[tuple[str, str]]:
    risks = seen(function).risks
    assert risks is not None
    return [(risk.kind.value, risk.what) for risk in risks]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("signal.signal(signal.SIGALRM, print)", ("signals", "signal.signal")),
        ("signal.setitimer(signal.ITIMER_REAL, 1)", ("signals", "signal.setitimer")),
        ("os.chdir('/')", ("directory", "os.chdir")),
        ("operating.chdir('/')", ("directory", "os.chdir")),
        ("go('/')", ("directory", "os.chdir")),
        ("os.umask(0)", ("directory", "os.umask")),
        ("list(map(os.chdir, []))", ("directory", "os.chdir")),
        ("os.environ['A'] = 'b'", ("environment", "os.environ")),
        ("environ.update(A='b')", ("environment", "environ")),
        ("del os.environ['A']", ("environment", "os.environ")),
        ("os.environ.pop('A', None)", ("environment", "os.environ")),
        ("own = os.environ\n    own['A'] = 'b'", ("environment", "os.environ")),
        ("os.putenv('A', 'b')", ("environment", "os.putenv")),
        ("with elsewhere(io.StringIO()): pass", ("output", "contextlib.redirect_stdout")),
        ("sys.stderr = io.StringIO()", ("output", "sys.stderr")),
        ("import locale\n    locale.setlocale(0, 'C')", ("locale", "locale.setlocale")),
        ("from locale import setlocale as s\n    s(0, 'C')", ("locale", "locale.setlocale")),
        ("import resource\n    resource.setrlimit(1, (1, 1))", ("limits", "resource.setrlimit")),
        ("os.nice(1)", ("limits", "os.nice")),
        ("sys.setrecursionlimit(9)", ("limits", "sys.setrecursionlimit")),
        ("warnings.simplefilter('error')", ("reporting", "warnings.simplefilter")),
        ("logging.basicConfig()", ("reporting", "logging.basicConfig")),
        ("global number\n    number += 1", ("writes", "number")),
        ("global fresh\n    for fresh in (1, 2): pass", ("writes", "fresh")),
        ("names.append(1)", ("writes", "names")),
        ("table['b'] = 2", ("writes", "table")),
        ("del table['b']", ("writes", "table")),
        ("own = table\n    own.update(b=2)", ("writes", "table")),
        ("seen.add(1)", ("writes", "seen")),
        ("queue.popleft()", ("writes", "queue")),
        ("heapq.heappush(names, 1)", ("writes", "names")),
        ("random.shuffle(names)", ("writes", "names")),
        ("random.seed(1)", ("writes", "random.seed")),
        ("Basket.count += 1", ("writes", "Basket.count")),
        ("f.calls = 1", ("writes", "f.calls")),
        ("setattr(Basket, 'count', 1)", ("writes", "Basket")),
        ("globals()['fresh'] = 1", ("writes", "globals()")),
        ("sys.path.append('x')", ("writes", "sys.path")),
        ("os.sep = '/'", ("writes", "os.sep")),
        ("return next(numbers)", ("state", "numbers")),
        ("return take()", ("state", "take")),
        ("slips.execute('SELECT 1')", ("state", "slips")),
        ("connections['one'].execute('SELECT 1')", ("state", "connections")),
        ("return rng.random()", ("state", "rng")),
        ("return basket", ("state", "basket")),
        ("enter('/')", ("directory", "os.chdir")),
        ("deeper('/')", ("directory", "os.chdir")),
        ("cached('/')", ("directory", "os.chdir")),
        ("bound()", ("directory", "os.chdir")),
        ("Basket().enter()", ("signals", "signal.alarm")),
        ("return [each for each in [lambda: os.chdir('/')]]", ("directory", "os.chdir")),
        (
            "def inner():\n        global number\n        number = 1\n    inner()",
            ("writes", "number"),
        ),
        ("try: pass\n    except OSError: os.chdir('/')", ("directory", "os.chdir")),
        ("match names:\n        case []: os.chdir('/')", ("directory", "os.chdir")),
    ],
)
def test_what_calls_would_share_is_seen(
    module: Callable[[str], ModuleType], body: str, expected: tuple[str, str]
) -> None:
    made = module(f"def f():\n    {body}\n")
    assert expected in kinds_and_names(made.f)


@pytest.mark.parametrize(
    "body",
    [
        "return os.environ['A'] + os.environ.get('B', '')",
        "names = []\n    names.append(1)",
        "os = object()\n    os.chdir = 1\n    return os",
        "for number in (1, 2): pass",
        "return {**table}['a'], pairs[0], fixed.size, pattern.match('x')",
        "own = dict(table)\n    own['b'] = 2",
        "with lock: log.warning('x')",
        "local.name = 1",
        "print('x', file=sys.stdout)",
        "return sorted(names), [name for name in names], seen | {1}",
        "return random.random(), time.time()",
        "total = 0\n    def add():\n        nonlocal total\n        total += 1\n    add()",
        "with TemporaryDirectory() as folder: return open(folder)",
        "import json\n    return json.dumps(table)",
        "return functools.partial(print, 1)",
        "raise ValueError(names)",
    ],
)
def test_what_is_a_calls_own_and_what_is_only_read_is_no_risk(
    module: Callable[[str], ModuleType], body: str
) -> None:
    made = module(f"def f():\n    {body}\n")
    assert kinds_and_names(made.f) == []


def test_a_risk_says_where_it_is_seen(module: Callable[[str], ModuleType]) -> None:
    made = module("def f():\n    names.append(slips)\n    deeper('/')\n")
    first = made.f.__code__.co_firstlineno
    inner = made.enter.__code__.co_firstlineno
    assert seen(made.f).risks == (
        Risk(RiskKind.DIRECTORY, "os.chdir", inner + 1, "enter"),
        Risk(RiskKind.STATE, "slips", first + 1, "f", "Connection"),
        Risk(RiskKind.WRITES, "names", first + 1, "f"),
    )


def test_decorators_are_looked_into_and_what_they_close_over(
    module: Callable[[str], ModuleType],
) -> None:
    made = module("@counted\ndef f():\n    os.nice(1)\n")
    assert kinds_and_names(made.f) == [
        ("writes", "calls"),
        ("writes", "kept"),
        ("limits", "os.nice"),
    ]


def test_a_class_of_the_module_is_looked_into_with_its_properties(
    module: Callable[[str], ModuleType],
) -> None:
    made = module("def f():\n    return Basket().folder\n")
    assert ("directory", "os.umask") in kinds_and_names(made.f)


def test_functions_that_call_each_other_are_looked_into_once(
    module: Callable[[str], ModuleType],
) -> None:
    made = module("def f():\n    g()\ndef g():\n    f()\n    os.nice(1)\n")
    assert kinds_and_names(made.f) == [("limits", "os.nice")]


def test_many_risks_are_bounded(module: Callable[[str], ModuleType]) -> None:
    lines = "\n".join(f"    Basket.a{n} = 1" for n in range(100))
    made = module(f"def f():\n{lines}\n")
    assert len(kinds_and_names(made.f)) == 20


def test_no_code_of_the_users_runs(module: Callable[[str], ModuleType]) -> None:
    made = module(
        """
        ran = []
        class Telltale(type):
            def __getattribute__(cls, name):
                ran.append(name)
                return type.__getattribute__(cls, name)
            def __instancecheck__(cls, other):
                ran.append("instancecheck")
                return True
        class Trap(metaclass=Telltale):
            def __getattribute__(self, name):
                ran.append(name)
                return object.__getattribute__(self, name)
            def __eq__(self, other): ran.append("eq")
            def __hash__(self): ran.append("hash"); return 1
            def __iter__(self): ran.append("iter"); return iter(())
            def __bool__(self): ran.append("bool"); return True
            def __repr__(self): ran.append("repr"); return ""
        class Lazy(type(os)):
            def __getattribute__(self, name):
                ran.append(name)
                return super().__getattribute__(name)
        trap, lazy = Trap(), Lazy("lazy")
        traps = [trap]
        ran.clear()
        def f():
            trap.items.append(1)
            lazy.thing.other = traps[0]
            trap.x, Trap.y = trap, 1
            for each in trap: next(trap)
        """
    )
    assert ("state", "trap") in kinds_and_names(made.f)
    assert made.ran == []


@pytest.mark.parametrize(
    "function",
    [len, functools.partial(print), io.StringIO, eval("lambda: 1"), object()],
    ids=["builtin", "partial", "class", "without a file", "no callable"],
)
def test_what_cannot_be_read_has_no_risks_that_are_known(function: Any) -> None:
    assert seen(function) == Seen(None, "")


def test_a_file_that_is_no_python_any_more_refuses_nothing(
    module: Callable[[str], ModuleType],
) -> None:
    made = module("def f():\n    os.nice(1)\n")
    Path(made.__file__ or "").write_text("def f(:\n" * 100)
    linecache.checkcache()
    assert seen(made.f) == Seen(None, "")


def test_a_digest_tells_whether_code_does_something_else(
    module: Callable[[str], ModuleType],
) -> None:
    one = seen(module("def f():\n    deeper('/')\n").f).code
    assert one
    assert seen(module("\n# moved\ndef f():\n    deeper('/')  # and commented\n").f).code == one
    assert seen(module("def f():\n    deeper('.')\n").f).code != one
    helper = "def deeper(folder):\n    os.chdir('/')\ndef f():\n    deeper('/')\n"
    assert seen(module(helper).f).code != one


def test_in_processes_only_what_differs_from_worker_to_worker_concerns_a_function() -> None:
    risks = [Risk(kind, "x", 1, "f") for kind in RiskKind]
    assert risks_in(PoolKind.THREAD, risks) == tuple(risks)
    assert {risk.kind for risk in risks_in(PoolKind.PROCESS, risks)} == {
        RiskKind.WRITES,
        RiskKind.STATE,
    }
