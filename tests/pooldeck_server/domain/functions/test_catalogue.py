"""Which functions there are, and whether a call fits one of them."""

import json
from typing import Any

import pytest

from pooldeck.functions import FunctionSpec, Options, ParameterKind, ParameterSpec
from pooldeck.kinds import PoolKind
from pooldeck_server.domain.errors import BadArguments, InvalidRequest, UnknownFunction, UnknownPool
from pooldeck_server.domain.functions.catalogue import Catalogue

STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}


def parameter(
    name: str, schema: dict[str, Any], kind: str = "positional_or_keyword", *, required: bool = True
) -> ParameterSpec:
    return ParameterSpec(name, ParameterKind(kind), required, schema)


def spec(name: str, *parameters: ParameterSpec, extra: Any = False, **options: Any) -> FunctionSpec:
    properties = {each.name: each.schema for each in parameters if each.kind != "var_keyword"}
    problem = options.pop("problem", None)
    return FunctionSpec(
        name=name,
        module="acme",
        signature="(...)",
        doc="",
        parameters=list(parameters),
        schema={"type": "object", "properties": properties, "additionalProperties": extra},
        options=Options(**options),
        problem=problem,
    )


def catalogue(*specs: FunctionSpec) -> Catalogue:
    return Catalogue({"io": PoolKind.THREAD, "cpu": PoolKind.PROCESS}, specs)


RESIZE = spec(
    "acme.resize",
    parameter("path", STRING, "positional_only"),
    parameter("width", {"anyOf": [INTEGER, {"type": "null"}]}, required=False),
    parameter("scale", NUMBER, "keyword_only", required=False),
    parameter("mode", {"enum": ["fast", "fine"]}, "keyword_only", required=False),
)
GATHER = spec(
    "acme.gather",
    parameter("first", INTEGER, "positional_only"),
    parameter("others", {"type": "array", "items": INTEGER}, "var_positional", required=False),
    parameter("more", STRING, "var_keyword", required=False),
    extra=STRING,
)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (["a.png"], {}),
        (["a.png", 64], {}),
        (["a.png", None], {}),
        (["a.png"], {"width": 10**40, "scale": 2, "mode": "fine"}),
        (["a.png"], {"scale": 0.5}),
    ],
)
def test_what_fits_passes(args: list[Any], kwargs: dict[str, Any]) -> None:
    catalogue(RESIZE).get("acme.resize").check(args, kwargs)


@pytest.mark.parametrize(
    ("args", "kwargs", "argument", "detail"),
    [
        ([], {}, "path", "path: missing"),
        (["a", 1, 2], {}, None, "3 positional .* at most 2 .path, width."),
        (["a"], {"path": "b"}, "path", "path: can only be given by position"),
        (["a", 1], {"width": 2}, "width", "width: given twice"),
        (["a"], {"height": 2}, "height", "height: .* no such argument.*: width, scale, mode"),
        ([5], {}, "path", "path: 5 is not a string"),
        (["a", "x"], {}, "width", 'width: "x" is not an integer or null'),
        (["a", True], {}, "width", "width: true is not an integer or null"),
        (["a", 1.5], {}, "width", "width: 1.5 is not an integer or null"),
        (["a"], {"mode": "slow"}, "mode", 'mode: "slow" is not one of "fast", "fine"'),
        (["a", "x" * 10_000], {}, "width", "width: .{50,70} is not an integer or null"),
    ],
)
def test_what_does_not_fit_is_named(
    args: list[Any], kwargs: dict[str, Any], argument: str | None, detail: str
) -> None:
    with pytest.raises(BadArguments, match=f"^{detail}") as caught:
        catalogue(RESIZE).get("acme.resize").check(args, kwargs)
    assert caught.value.extra.get("argument") == argument


def test_variable_parameters_take_the_rest() -> None:
    gather = catalogue(GATHER).get("acme.gather")
    gather.check([1, 2, 3], {"colour": "red", "first": "another"})
    with pytest.raises(BadArguments, match=r"others\[1\]: \"x\" is not an integer"):
        gather.check([1, 2, "x"], {})
    with pytest.raises(BadArguments, match="colour: 5 is not a string"):
        gather.check([1], {"colour": 5})
    with pytest.raises(BadArguments, match="first: missing"):
        gather.check([], {"first": "taken by more"})


def test_what_is_wrong_inside_of_an_argument_has_a_path() -> None:
    shape = {"type": "object", "properties": {"x": NUMBER}, "required": ["x"]}
    move = catalogue(spec("acme.move", parameter("point", shape))).get("acme.move")
    with pytest.raises(BadArguments, match=r'point\["x"\]: "1" is not a number'):
        move.check([{"x": "1"}], {})
    with pytest.raises(BadArguments, match="point: x is missing"):
        move.check([{}], {})


def test_what_is_wrong_inside_of_an_argument_that_may_be_null_has_a_path_too() -> None:
    numbers = {"anyOf": [{"type": "array", "items": INTEGER}, {"type": "null"}]}
    add = catalogue(spec("acme.add", parameter("numbers", numbers))).get("acme.add")
    with pytest.raises(BadArguments, match=r'^numbers\[1\]: "two" is not an integer$'):
        add.check([[1, "two"]], {})
    with pytest.raises(BadArguments, match="numbers: 1 is not an array or null"):
        add.check([1], {})


def test_functions_are_listed_by_name() -> None:
    names = [function.spec.name for function in catalogue(RESIZE, GATHER).functions()]
    assert names == ["acme.gather", "acme.resize"]


@pytest.mark.parametrize(
    "name", ["acme.resise", "resize", "resise", "shop.images.resize", "old.rezize"]
)
def test_an_unknown_function_is_told_what_looks_alike(name: str) -> None:
    with pytest.raises(UnknownFunction, match=r"did you mean acme\.resize\?"):
        catalogue(RESIZE, GATHER).get(name)


def test_a_function_of_a_module_that_was_not_named_is_told_how_to_name_it() -> None:
    with pytest.raises(UnknownFunction) as caught:
        catalogue(RESIZE, GATHER).get("own.mine")
    assert caught.value.detail == (
        'no function called "own.mine" is registered; the server has functions of acme: to have '
        "those of own, name it with --functions where the server is started"
    )


@pytest.mark.parametrize("name", ["acme.zzzzzzz", "zzzzzzz"])
def test_a_module_that_was_named_is_not_to_be_named_again(name: str) -> None:
    with pytest.raises(UnknownFunction, match=r"is registered$"):
        catalogue(RESIZE, GATHER).get(name)


def test_auto_stands_for_the_pool_that_was_chosen() -> None:
    assert catalogue(RESIZE).get("acme.resize").pool == "cpu"
    assert catalogue(spec("acme.f", pool="io")).get("acme.f").pool == "io"


def test_an_unknown_pool_is_a_problem_and_stops_the_call() -> None:
    stray = catalogue(spec("acme.stray", pool="sea")).get("acme.stray")
    assert stray.problem == 'there is no pool "sea"; there are: io, cpu'
    with pytest.raises(UnknownPool, match="sea"):
        stray.check([], {})


def test_a_problem_that_the_worker_found_stops_the_call() -> None:
    broken = catalogue(spec("acme.broken", problem="it is a generator")).get("acme.broken")
    assert broken.problem == "it is a generator"
    with pytest.raises(InvalidRequest, match="cannot be called: it is a generator"):
        broken.check([], {})


def test_a_newer_report_makes_a_newer_catalogue() -> None:
    empty = Catalogue({"cpu": PoolKind.PROCESS})
    newer = empty.with_specs([RESIZE])
    assert (empty.is_known, empty.functions()) == (False, ())
    assert newer.is_known
    assert newer.get("acme.resize").pool == "cpu"
    assert newer.with_specs([]).is_known


def test_sensitive_arguments_are_redacted_wherever_they_stand() -> None:
    function = catalogue(
        spec(
            "acme.log_in",
            parameter("user", STRING),
            parameter("password", STRING),
            sensitive=("password",),
        )
    ).get("acme.log_in")
    assert function.redact(["me", "secret"], {}) == ('["me","[redacted]"]', "{}")
    shown = function.redact(["mé"], {"password": "secret"})
    assert shown == ('["mé"]', '{"password":"[redacted]"}')
    with pytest.raises(BadArguments) as caught:
        function.check(["me", ["secret"]], {})
    assert "secret" not in caught.value.detail


def test_sensitive_variable_arguments_are_redacted_too() -> None:
    function = catalogue(
        spec(
            "acme.keys",
            parameter("others", {"type": "array"}, "var_positional", required=False),
            parameter("more", {}, "var_keyword", required=False),
            extra=True,
            sensitive=("others", "more"),
        )
    ).get("acme.keys")
    shown = function.redact([1, 2], {"a": {"b": 3}})
    assert shown is not None
    assert json.loads(shown[0]) == ["[redacted]", "[redacted]"]
    assert json.loads(shown[1]) == {"a": "[redacted]"}


def test_nothing_sensitive_needs_no_redaction() -> None:
    assert catalogue(RESIZE).get("acme.resize").redact(["a"], {}) is None
