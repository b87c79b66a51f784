"""`@task` and discovery: what is registered, what is refused, and why."""

import pickle
import sys
import textwrap
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from pooldeck import task
from pooldeck.functions import OPTIONS_ATTRIBUTE, FunctionSpec, Options
from pooldeck.kinds import PoolKind
from pooldeck.risks import Risk, RiskKind
from pooldeck.worker.functions.discovery import DiscoveryError, resolve
from tests.support.discovered import discover


@task
def double(n: int) -> int:
    """Double a number."""
    return 2 * n


@task(name="shop.charge", pool="io", priority=-5, sensitive=["card"])
def charge(card: str, amount: float) -> str:
    return f"{amount} from {card}"


def one() -> dict[str, FunctionSpec]:
    """Return what a worker would find in this module."""
    return {name: function.spec for name, function in discover([__name__]).items()}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Write modules that can be imported, and forget them afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write_module(name: str, source: str) -> None:
        text = "from pooldeck import task\n" + textwrap.dedent(source)
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)

    return write_module


def test_a_registered_function_stays_an_ordinary_callable() -> None:
    assert double(4) == 8
    assert pickle.loads(pickle.dumps(double)) is double
    assert double.__doc__ == "Double a number."


def test_options_hang_on_the_function() -> None:
    assert getattr(double, OPTIONS_ATTRIBUTE) == Options()
    assert getattr(charge, OPTIONS_ATTRIBUTE) == Options(
        name="shop.charge", pool="io", priority=-5, sensitive=("card",)
    )


@pytest.mark.parametrize(
    "given",
    [("thread", "process"), ["process", "thread"], {"process", "thread"}, tuple(PoolKind)],
    ids=["tuple", "list", "set", "kinds"],
)
def test_a_word_for_several_kinds_is_the_same_in_any_order(given: Collection[str]) -> None:
    def moved() -> None:
        """Stand for any function."""

    options = getattr(task(safe_in=given)(moved), OPTIONS_ATTRIBUTE)
    assert options == Options(safe_in=(PoolKind.THREAD, PoolKind.PROCESS))


def test_what_is_seen_in_a_functions_code_is_reported_with_it(
    write: Callable[[str, str], None],
) -> None:
    write("risky", "import os\n@task\ndef f():\n    os.chdir('/')\n")
    (spec,) = (each.spec for each in discover(["risky"]).values())
    assert spec.risks == (Risk(RiskKind.DIRECTORY, "os.chdir", 5, "f"),)
    assert spec.code


def test_a_function_is_called_by_module_and_name_unless_it_has_a_name_of_its_own() -> None:
    assert sorted(one()) == sorted([f"{__name__}.double", "shop.charge"])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"colour": "red"}, TypeError, "@task has no option 'colour'; there are name, pool"),
        ({"name": 3}, TypeError, "name must be a name"),
        ({"name": "no spaces"}, ValueError, "name must be a name"),
        ({"pool": None}, TypeError, "pool must be a pool's name"),
        ({"pool": "CPU"}, ValueError, "pool must be a pool's name"),
        ({"timeout": "60"}, TypeError, "timeout must be seconds above 0"),
        ({"timeout": 0}, ValueError, "timeout must be seconds above 0"),
        ({"timeout": float("inf")}, ValueError, "timeout must be seconds above 0"),
        ({"retries": 1.5}, TypeError, "retries must be a whole number from 0"),
        ({"retries": True}, TypeError, "retries must be a whole number from 0"),
        ({"retries": -1}, ValueError, "retries must be a whole number from 0"),
        ({"backoff": -0.1}, ValueError, "backoff must be seconds from 0"),
        ({"idempotent": 1}, TypeError, "idempotent must be True or False"),
        ({"safe_in": "thread"}, TypeError, 'one is written safe_in=("thread",'),
        ({"safe_in": True}, TypeError, "safe_in must be a tuple of kinds of pools"),
        ({"safe_in": None}, TypeError, "safe_in must be a tuple of kinds of pools"),
        ({"safe_in": ("threads",)}, ValueError, "out of thread, process"),
        ({"safe_in": ("thread", ["process"])}, ValueError, "out of thread, process"),
        ({"sensitive": "card"}, TypeError, 'one is written sensitive=("card",'),
        ({"priority": 101}, ValueError, "priority must be a whole number, -100 to 100"),
        ({"priority": -101}, ValueError, "priority must be a whole number, -100 to 100"),
        ({"sensitive": "card"}, TypeError, "sensitive must be a tuple of parameter names"),
        ({"sensitive": (3,)}, ValueError, "sensitive must be a tuple of parameter names"),
        ({"sensitive": ("pin",)}, ValueError, "pay has no parameter pin"),
    ],
)
def test_a_wrong_option_is_refused_where_it_is_written(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    def pay(card: str) -> None:
        del card

    with pytest.raises(error, match=message.replace("(", r"\(")):
        task(**options)(pay)


def test_values_at_the_edges_of_their_ranges_are_taken() -> None:
    for priority in (-100, 100):
        task(priority=priority, timeout=0.001, retries=0, backoff=0)(lambda: None)


def test_any_name_may_be_sensitive_where_any_name_is_taken() -> None:
    @task(sensitive=("token",))
    def call(**headers: str) -> None:
        del headers

    assert getattr(call, OPTIONS_ATTRIBUTE).sensitive == ("token",)


def test_only_functions_of_a_module_can_be_registered() -> None:
    with pytest.raises(TypeError, match="@task goes on a function, not on"):
        task(dict)
    with pytest.raises(TypeError, match="is a method, which has no object"):

        class Shop:
            @task
            def open(self) -> None:
                """Do nothing."""


def test_the_options_that_say_when_a_call_ends_and_runs_again_are_described(
    write: Callable[[str, str], None],
) -> None:
    options = "timeout=60, retries=1, backoff=2, idempotent=True"
    write("options_jobs", f"@task({options})\ndef work(): ...")
    spec = discover(["options_jobs"])["options_jobs.work"].spec
    assert spec.problem is None
    chosen = spec.options
    assert (chosen.timeout, chosen.retries, chosen.backoff) == (60, 1, 2)
    assert chosen.idempotent


@pytest.mark.parametrize("prefix", ["", "async "])
def test_a_generator_is_listed_with_its_problem(
    write: Callable[[str, str], None], prefix: str
) -> None:
    write("generator_jobs", f"@task\n{prefix}def count():\n    yield 1")
    problem = discover(["generator_jobs"])["generator_jobs.count"].spec.problem
    assert problem is not None
    assert "it is a generator" in problem


def test_a_function_imported_from_elsewhere_is_not_found_twice(
    write: Callable[[str, str], None],
) -> None:
    write("origin_jobs", "@task\ndef work(): ...\nalias = work")
    write("other_jobs", "from origin_jobs import work\n@task\ndef own(): ...")
    assert list(discover(["origin_jobs", "other_jobs"])) == ["origin_jobs.work", "other_jobs.own"]


def test_naming_a_module_twice_is_no_conflict(write: Callable[[str, str], None]) -> None:
    write("named_twice", "@task\ndef work(): ...")
    assert list(discover(["named_twice", "named_twice"])) == ["named_twice.work"]


def test_a_decorator_around_a_registered_function_is_part_of_it(
    write: Callable[[str, str], None],
) -> None:
    source = """
        import functools
        def louder(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                return function(*args, **kwargs).upper()
            return wrapper
        @louder
        @task(pool="io")
        def greet(name: str) -> str:
            return f"hello {name}"
        @functools.lru_cache
        @task
        def square(n: int) -> int:
            return n * n
    """
    write("wrapped_jobs", source)
    assert discover(["wrapped_jobs"])["wrapped_jobs.square"].call(3) == 9
    function = discover(["wrapped_jobs"])["wrapped_jobs.greet"]
    assert function.call("you") == "HELLO YOU"
    assert [parameter.name for parameter in function.spec.parameters] == ["name"]


def test_what_only_looks_registered_is_left_alone(write: Callable[[str, str], None]) -> None:
    source = """
        class Anything:
            def __getattr__(self, name):
                return self
        anything = Anything()
    """
    write("odd_jobs", source)
    assert discover(["odd_jobs"]) == {}


def test_a_name_of_two_functions_is_neithers_and_others_are_not_touched(
    write: Callable[[str, str], None],
) -> None:
    write("left_jobs", "@task(name='twin')\ndef left(): ...\n@task\ndef own(): ...")
    write("right_jobs", "@task(name='twin')\ndef right(): ...")
    found = discover(["left_jobs", "right_jobs"])
    assert (found["twin"].spec.problem or "").startswith(
        "two functions are called twin: left_jobs.left (line 2) and right_jobs.right (line 2); "
    )
    assert found["left_jobs.own"].spec.problem is None


def test_a_function_that_takes_the_place_of_another_in_its_module_is_refused_as_well(
    write: Callable[[str, str], None],
) -> None:
    write("twice_jobs", "@task\ndef same(): ...\n@task\ndef same(): ...\n@task\ndef own(): ...")
    found = discover(["twice_jobs"])
    problem = "two functions are called twice_jobs.same: the first of them is in line 2"
    assert found["twice_jobs.same"].spec.problem == problem
    assert found["twice_jobs.own"].spec.problem is None
    again = {name: each.spec.problem for name, each in discover(["twice_jobs"]).items()}
    assert again == {"twice_jobs.same": problem, "twice_jobs.own": None}


def test_an_initializer_is_found_by_its_path(write: Callable[[str, str], None]) -> None:
    write("start_jobs", "def connect():\n    return 'connected'\nnumber = 3")
    assert resolve("start_jobs.connect")() == "connected"
    for wrong in ("start_jobs.number", "start_jobs.absent"):
        with pytest.raises(DiscoveryError, match=f"{wrong} is not a function of the module"):
            resolve(wrong)
