"""What the list of functions and the page of one say."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from pooldeck.functions import FunctionSpec, Options
from pooldeck.kinds import PoolKind
from pooldeck_server.domain.functions.catalogue import Catalogue, RegisteredFunction
from pooldeck_server.domain.functions.examples import example
from pooldeck_server.domain.functions.placements import Placement, PlacementRule
from pooldeck_server.domain.measurements.figures import (
    Activity,
    Count,
    Durations,
    Percentiles,
    Spread,
)
from pooldeck_server.domain.measurements.run_times import RunTimes
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.pages.functions import listing as functions
from pooldeck_server.web.pages.functions import view as function
from pooldeck_server.web.pages.functions.data import FunctionData, FunctionsData
from pooldeck_server.web.pages.functions.form import form
from pooldeck_server.web.pages.functions.order import FunctionOrder
from pooldeck_server.web.pages.functions.view import signature_parts

NAME = "acme.jobs.work"
NOW_MINUTE = 1000


def spec(name: str = NAME, doc: str = "", **options: Any) -> FunctionSpec:
    return FunctionSpec(name, "acme.jobs", "()", doc, [], {"type": "object"}, Options(**options))


def listed(
    *specs: FunctionSpec,
    wanted: str = "",
    holds: Sequence[Hold] = (),
    order: FunctionOrder = FunctionOrder.NAME,
    **changes: Any,
) -> functions.FunctionsView:
    catalogue = Catalogue({"cpu": PoolKind.PROCESS}, specs)
    read = FunctionsData(NOW_MINUTE, (), (), {})
    read = msgspec.structs.replace(read, **changes)
    return functions.functions_view(read, catalogue, holds, (), wanted, order=order)


@pytest.mark.parametrize(
    ("order", "names"),
    [
        (FunctionOrder.NAME, ["a.one", "a.two", "b.one"]),
        (FunctionOrder.FAILURES, ["b.one", "a.two", "a.one"]),
        (FunctionOrder.RUN, ["a.two", "a.one", "b.one"]),
        (FunctionOrder.LAST, ["a.one", "a.two", "b.one"]),
    ],
)
def test_functions_are_in_the_order_asked_for_those_of_a_module_together(
    order: FunctionOrder, names: list[str]
) -> None:
    def took(seconds: float) -> Spread:
        return Spread(None, Percentiles(seconds, seconds))

    found = listed(
        *map(spec, ("b.one", "a.two", "a.one")),
        order=order,
        counts=[Count("cpu", "b.one", State.FAILED, 9), Count("cpu", "a.two", State.LOST, 2)],
        activity=[Activity(NOW_MINUTE, "cpu", "b.one", State.FAILED, 1, 0.0, 0.0)],
        spreads={"a.two": took(5.0), "b.one": took(0.1), "a.one": took(1.0)},
        last={"a.one": 990, "b.one": 980, "a.two": 100},
    )
    assert [row.function.spec.name for row in found.functions] == names
    assert {group.module: len(group.rows) for group in found.groups} == {"a": 2, "b": 1}
    assert [choice.is_chosen for choice in found.orders] == [
        each is order for each in FunctionOrder
    ]


def test_that_nothing_can_be_said_yet_is_said_once() -> None:
    assert listed(spec("a.one"), spec("a.two")).unclear == 2


def ended(minute: int, state: State, n: int) -> Activity:
    return Activity(minute, "cpu", NAME, state, n, 0.0, 0.0)


# The list.


def test_functions_are_listed_with_their_problem_their_hold_and_their_tasks() -> None:
    counts = [
        Count("cpu", NAME, State.SUCCEEDED, 40),
        Count("io", NAME, State.SUCCEEDED, 2),
        Count("cpu", NAME, State.LOST, 1),
        Count("cpu", NAME, State.QUEUED, 3),
    ]
    holds = [Hold("b", 0, 5, "five deaths"), Hold("gone", 0, 7, "seven deaths")]
    work = spec(doc="Do it.\n\nAnd more.")
    context = listed(work, spec("b", pool="gpu"), counts=counts, holds=holds)
    first, other = context.functions
    assert (first.summary, first.function.problem, first.hold) == ("Do it.", None, None)
    assert (first.live.number, first.runs.number, first.failures.number) == (3, 46, 1)
    assert first.failures.href == f"/tasks?state=failed&state=lost&function={NAME}"
    assert "gpu" in (other.function.problem or "")
    assert (other.runs.number, other.hold) == (0, holds[0])
    assert context.gone == [holds[1]]


def test_the_last_hour_is_counted_by_minute_and_nothing_before_it() -> None:
    activity = [
        ended(NOW_MINUTE - 60, State.SUCCEEDED, 99),
        ended(NOW_MINUTE - 59, State.SUCCEEDED, 4),
        ended(NOW_MINUTE, State.SUCCEEDED, 5),
        ended(NOW_MINUTE, State.FAILED, 2),
        ended(NOW_MINUTE, State.LOST, 1),
    ]
    (row,) = listed(spec(), activity=activity).functions
    assert (row.lately.number, row.failed_lately.number) == (12, 3)
    assert (len(row.ends), row.ends[0], row.ends[-1]) == (60, 4, 8)
    assert row.failed_lately.href.endswith("&since=1h")
    assert listed(spec()).functions[0].ends == ()


def test_percentiles_stand_beside_the_function_they_are_of() -> None:
    spread = Spread(None, Percentiles(0.1, 2.0))
    rows = listed(spec(), spec("b"), spreads={"b": spread}).functions
    assert [row.spread for row in rows] == [None, spread]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [("", ["a.one", "b.two"]), (" ONE ", ["a.one"]), ("pictures", ["b.two"]), ("x", [])],
)
def test_functions_are_found_by_name_and_description(wanted: str, names: list[str]) -> None:
    context = listed(spec("a.one"), spec("b.two", doc="Scale Pictures."), wanted=wanted)
    assert [row.function.spec.name for row in context.functions] == names
    assert context.has_any


# One function.


def shown(of: RegisteredFunction | None = None, **changes: Any) -> function.FunctionView:
    of = of or registered()
    read = msgspec.structs.replace(
        FunctionData((), Durations(), (), RunTimes(3600, 10, 0, 3600, ())), **changes
    )
    live: dict[str, Any] = {"pools": {"cpu": 2}, "hold": None, "advice": None, "profiles": {}}
    return function.function_view(of, form(of.spec), read, **live)


def registered(**options: Any) -> RegisteredFunction:
    return Catalogue({"cpu": PoolKind.PROCESS}, [spec(**options)]).get(NAME)


def test_a_docstring_is_told_without_what_the_form_says_beside_each_field() -> None:
    doc = "Do it.\n\nArgs:\n    path: Where.\n\nReturns:\n    How often."
    assert shown(registered(doc=doc)).doc == "Do it.\n\nReturns:\n    How often."
    assert shown(registered(doc=doc, pool="gone")).doc == doc  # there is no form


def test_the_numbers_of_a_function_lead_to_its_tasks() -> None:
    counts = [Count("cpu", NAME, State.FAILED, 3), Count("cpu", "b", State.LOST, 9)]
    numbers = shown(counts=counts, durations=Durations(10, None, Percentiles(0.34, 3.4))).numbers
    assert [(each.label, each.value, each.href) for each in numbers] == [
        ("failed", "3", f"/tasks?state=failed&function={NAME}"),
        ("Run p50", "340 ms", None),
        ("Run p95", "3.4 s", None),
    ]
    assert [(each.label, each.value) for each in shown().numbers] == [("Submitted", "none yet")]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "No measurement moves it"),
        ({"safe_in": (PoolKind.THREAD,)}, "may be moved to threads by measurements (safe_in)."),
        ({"safe_in": tuple(PoolKind)}, "may be moved to threads or processes by measurements"),
        ({"safe_in": (PoolKind.THREAD,), "pool": "cpu"}, "does not count as long as it names its"),
    ],
)
def test_its_owners_word_is_told_and_where_it_does_not_count(
    options: dict[str, Any], words: str
) -> None:
    assert words in " ".join(shown(registered(**{"pool": "auto"} | options)).options)


def test_of_a_function_that_names_its_pool_and_has_no_word_nothing_is_told() -> None:
    assert "moved" not in " ".join(shown(registered(pool="cpu")).options)


def test_options_are_told_in_sentences() -> None:
    plain = shown().options
    assert "It has no timeout." in plain
    assert "It is not run again after an exception or a timeout." in plain
    declared = {"timeout": 90.0, "retries": 2, "idempotent": True, "sensitive": ("key",)}
    said = " ".join(shown(registered(**declared)).options)
    for words in ("1 min 30 s at most", "up to 2 times", "It is idempotent", "final: key."):
        assert words in said


def test_only_a_function_that_leaves_its_pool_to_the_server_says_why_it_is_there() -> None:
    kinds = {"cpu": PoolKind.PROCESS}
    assert shown(registered(pool="cpu")).placement is None
    chosen = shown().placement
    assert chosen is not None
    assert chosen.words.startswith("The server chose cpu: all pools are of one kind")
    assert chosen.by_hand == ""
    by_hand = {NAME: Placement("cpu", PlacementRule.BY_HAND, since=1)}
    placed = shown(Catalogue(kinds, [spec()], by_hand).get(NAME)).placement
    assert placed is not None
    assert (placed.words, placed.by_hand) == ("The function was placed in cpu by hand.", "cpu")


def test_a_signature_is_divided_into_names_types_and_defaults() -> None:
    text = "(path: str, boxes: list[a.Box], mode: Literal['a, b'] = 'a', *rest) -> dict[str, int]"
    parts = list(signature_parts(text))
    assert "".join(piece for _, piece in parts) == text

    def of(kind: str) -> list[str]:
        return [piece for found, piece in parts if found == kind]

    assert of("name") == ["path", "boxes", "mode", "*rest"]
    assert "".join(of("type")) == "strlist[a.Box]Literal['a, b']dict[str,int]"
    assert of("default") == ["'a'"]


def test_an_example_has_the_shape_that_the_schema_asks_for() -> None:
    box = {
        "type": "object",
        "properties": {
            "left": {"type": "integer"},
            "label": {"type": "string", "default": "none"},
            "inner": {"$ref": "#/$defs/Box"},
        },
    }
    schema = {"type": "array", "items": {"$ref": "#/$defs/Box"}}
    (found,) = example(schema, {"Box": box})
    assert (found["left"], found["label"]) == (1, "none")
    assert msgspec.json.encode(found).count(b"inner") < 5  # it ends, although the schema does not
    assert example({"anyOf": [{"enum": ["fit", "fill"]}, {"type": "null"}]}, {}) == "fit"
    assert example({}, {}) is None
