"""What a form shows for each kind of parameter, and what it says when it is sent."""

import json
from typing import Any

import msgspec
import pytest

from pooldeck.functions import FunctionSpec, Options, ParameterKind, ParameterSpec
from pooldeck_server.web.pages.functions.fields import Control
from pooldeck_server.web.pages.functions.form import form
from pooldeck_server.web.pages.functions.form_values import FormErrors, body, typed

Kind = ParameterKind
INTEGER = {"type": "integer"}
TEXT = {"type": "string"}
NULLABLE_TEXT = {"anyOf": [TEXT, {"type": "null"}]}


def parameter(
    name: str,
    schema: dict[str, Any],
    *,
    default: str | None = None,
    kind: Kind = Kind.POSITIONAL_OR_KEYWORD,
) -> ParameterSpec:
    collects = kind in {Kind.VAR_POSITIONAL, Kind.VAR_KEYWORD}
    return ParameterSpec(name, kind, default is None and not collects, schema, default)


def function(*parameters: ParameterSpec, **schema: Any) -> FunctionSpec:
    return FunctionSpec(
        name="acme.jobs.work",
        module="acme.jobs",
        signature="(...)",
        doc="",
        parameters=list(parameters),
        schema={"type": "object", **schema},
        options=Options(sensitive=tuple(each.name for each in parameters if each.name == "secret")),
    )


def sent(spec: FunctionSpec, **values: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(body(spec, _named(values)))
    return decoded


def _named(values: dict[str, str]) -> dict[str, str]:
    options = {"pool", "priority", "delay", "run_at", "tags"}
    return {key if key in options else f"arg.{key}": value for key, value in values.items()}


def complaint(spec: FunctionSpec, **values: str) -> dict[str, str]:
    with pytest.raises(FormErrors) as caught:
        body(spec, _named(values))
    return dict(caught.value.errors)


@pytest.mark.parametrize(
    ("schema", "control"),
    [
        (INTEGER, Control.INTEGER),
        ({"type": "number"}, Control.NUMBER),
        (TEXT, Control.TEXT),
        ({"type": "boolean"}, Control.CHOICE),
        ({"enum": ["fit", "fill"]}, Control.CHOICE),
        ({"const": 3}, Control.CHOICE),
        ({"type": "array", "items": INTEGER}, Control.JSON),
        ({"type": "object"}, Control.JSON),
        ({}, Control.JSON),
        ({"anyOf": [INTEGER, TEXT]}, Control.JSON),
        (NULLABLE_TEXT, Control.JSON),
    ],
)
def test_a_required_parameter_gets_the_plainest_control_that_can_say_all_its_values(
    schema: dict[str, Any], control: Control
) -> None:
    assert form(function(parameter("x", schema))).fields[0].control is control


def test_an_optional_text_that_may_be_null_is_plain_where_leaving_it_out_means_null() -> None:
    spec = function(parameter("x", NULLABLE_TEXT, default="null"))
    assert form(spec).fields[0].control is Control.TEXT
    assert sent(spec, x="")["kwargs"] == {}
    assert sent(spec, x="a title")["kwargs"] == {"x": "a title"}


def test_a_reference_to_an_enumeration_becomes_a_choice() -> None:
    spec = function(
        parameter("colour", {"$ref": "#/$defs/Colour"}), **{"$defs": {"Colour": {"enum": ["red"]}}}
    )
    assert form(spec).fields[0].choices == ('"red"',)
    assert sent(spec, colour='"red"')["kwargs"] == {"colour": "red"}


def test_values_arrive_as_the_json_that_was_meant() -> None:
    spec = function(
        parameter("count", INTEGER),
        parameter("ratio", {"type": "number"}),
        parameter("title", TEXT),
        parameter("sharp", {"type": "boolean"}),
        parameter("boxes", {"type": "array"}),
    )
    call = sent(spec, count=" 7 ", ratio="1e3", title="7", sharp="true", boxes="[1, null]")
    assert call["function"] == "acme.jobs.work"
    assert call["kwargs"] == {
        "count": 7,
        "ratio": 1000.0,
        "title": "7",
        "sharp": True,
        "boxes": [1, None],
    }


def test_a_whole_number_keeps_every_digit() -> None:
    digits = "9" * 60
    assert sent(function(parameter("n", INTEGER)), n=digits)["kwargs"] == {"n": int(digits)}
    number = function(parameter("n", {"type": "number"}))
    assert sent(number, n=digits)["kwargs"] == {"n": int(digits)}


def test_optional_fields_that_are_left_empty_are_left_out() -> None:
    spec = function(parameter("width", INTEGER, default="256"), parameter("t", TEXT, default='"a"'))
    assert sent(spec)["kwargs"] == {}


def test_an_empty_text_can_be_told_from_one_that_is_left_out() -> None:
    spec = function(parameter("title", TEXT, default='"none"'))
    call = json.loads(body(spec, {"arg.title": "", "empty.title": "on"}))
    assert call["kwargs"] == {"title": ""}


def test_a_required_text_is_empty_only_where_that_is_said() -> None:
    spec = function(parameter("text", TEXT))
    assert complaint(spec, text="")["arg.text"].startswith("This is needed.")
    said = json.loads(body(spec, {"arg.text": "", "empty.text": "on"}))
    assert said["kwargs"] == {"text": ""}


def test_lines_of_a_text_end_as_they_were_typed() -> None:
    spec = function(parameter("text", TEXT))
    assert sent(spec, text="a\r\nb")["kwargs"] == {"text": "a\nb"}


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        (INTEGER, "", "This is needed."),
        (INTEGER, "1.5", "1.5 is not a whole number."),
        ({"type": "number"}, "nan", "nan is not a number."),
        ({"type": "number"}, "wide", "wide is not a number."),
        ({"type": "array"}, "[1,", "This is not JSON: it ends too early"),
        ({"type": "array"}, "one", "This is not JSON, from character 1 on. Text stands in quotes"),
        ({"type": "array"}, '["é", b]', "This is not JSON, from character 7 on."),
    ],
)
def test_what_cannot_be_read_is_named_beside_its_field(
    schema: dict[str, Any], value: str, words: str
) -> None:
    errors = complaint(function(parameter("x", schema)), x=value)
    assert errors["arg.x"].startswith(words)


def test_every_wrong_field_is_named_at_once() -> None:
    spec = function(parameter("x", INTEGER), parameter("y", INTEGER))
    assert complaint(spec, x="a", y="b", priority="high", delay="later").keys() == {
        "arg.x",
        "arg.y",
        "priority",
        "delay",
    }


def test_positional_only_parameters_go_in_order_with_their_defaults_between() -> None:
    spec = function(
        parameter("a", INTEGER, kind=Kind.POSITIONAL_ONLY),
        parameter("b", INTEGER, default="2", kind=Kind.POSITIONAL_ONLY),
        parameter("c", INTEGER, default="3", kind=Kind.POSITIONAL_ONLY),
        parameter("d", INTEGER, default="4"),
    )
    call = sent(spec, a="1", c="30", d="40")
    assert call["args"] == [1, 2, 30]
    assert call["kwargs"] == {"d": 40}
    assert sent(spec, a="1")["args"] == [1]


def test_further_arguments_push_what_comes_before_them_into_order() -> None:
    spec = function(
        parameter("a", INTEGER),
        parameter("rest", {}, kind=Kind.VAR_POSITIONAL),
        parameter("key", INTEGER, default="1", kind=Kind.KEYWORD_ONLY),
        parameter("more", {}, kind=Kind.VAR_KEYWORD),
    )
    call = sent(spec, a="1", rest="[2, 3]", key="5", more='{"z": 9}')
    assert call["args"] == [1, 2, 3]
    assert call["kwargs"] == {"key": 5, "z": 9}
    assert complaint(spec, a="1", rest="2")["arg.rest"] == "This must be a JSON array."


def test_an_argument_without_a_json_default_is_needed_where_one_after_it_is_given() -> None:
    spec = function(
        ParameterSpec("a", Kind.POSITIONAL_ONLY, required=False, schema={}, default=None),
        parameter("b", INTEGER, default="2", kind=Kind.POSITIONAL_ONLY),
    )
    assert complaint(spec, b="3").keys() == {"arg.a"}


def test_options_are_sent_only_where_they_were_filled_in() -> None:
    spec = function()
    assert sent(spec).keys() == {"function", "args", "kwargs"}
    call = sent(spec, pool="io", priority="-5", delay="1.5", tags=" a, b ,")
    assert (call["pool"], call["priority"], call["delay"]) == ("io", -5, 1.5)
    assert call["tags"] == ["a", "b"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2030-01-31T12:30", "2030-01-31T12:30:00Z"),
        ("2030-01-31T12:30:05", "2030-01-31T12:30:05Z"),
        ("2030-01-31T12:30:05+08:00", "2030-01-31T12:30:05+08:00"),
    ],
)
def test_a_moment_is_in_utc_unless_it_says_otherwise(typed: str, meant: str) -> None:
    assert sent(function(), run_at=typed)["run_at"] == meant


def test_a_form_shows_what_was_typed_and_what_is_wrong_with_it() -> None:
    spec = function(parameter("x", INTEGER))
    shown = form(
        spec, {"arg.x": "a", "priority": "high"}, {"arg.x": "No.", "priority": "Neither."}, "Bad."
    )
    assert (shown.fields[0].value, shown.fields[0].error) == ("a", "No.")
    assert shown.options["priority"] == "high"
    assert shown.option_errors == {"priority": "Neither."}
    assert shown.uses_options
    assert shown.error == "Bad."


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ('["a.png", 640]', "{}"),
        ('["a.png"]', '{"width": 640, "extra": {"deep": [1]}}'),
        ('["a.png", 1, 2, 3]', "{}"),
        ('[""]', '{"title": ""}'),
        ('["123"]', '{"title": "null"}'),
    ],
)
def test_a_call_typed_again_is_the_same_call(args: str, kwargs: str) -> None:
    spec = function(
        parameter("path", TEXT),
        parameter("width", INTEGER, default="256"),
        parameter("rest", {}, kind=Kind.VAR_POSITIONAL),
        parameter("title", NULLABLE_TEXT, default="null", kind=Kind.KEYWORD_ONLY),
        parameter("more", {}, kind=Kind.VAR_KEYWORD),
    )
    again = json.loads(body(spec, typed(spec, args, kwargs)))
    assert _bound(again["args"], again["kwargs"]) == _bound(json.loads(args), json.loads(kwargs))


def _bound(args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    def work(path: str, width: int = 256, *rest: Any, title: Any = None, **more: Any) -> Any:
        return {"path": path, "width": width, "rest": rest, "title": title, "more": more}

    bound: dict[str, Any] = work(*args, **kwargs)
    return bound


def test_sensitive_arguments_are_not_typed_again() -> None:
    spec = function(parameter("user", TEXT), parameter("secret", TEXT))
    values = typed(spec, "[]", '{"user": "ann", "secret": "[redacted]"}')
    assert values == {"arg.user": "ann"}


def test_what_is_sensitive_does_not_come_back_with_the_form_and_has_to_be_typed_again() -> None:
    spec = function(parameter("user", TEXT), parameter("secret", TEXT))
    [user, secret] = form(spec, {"arg.user": "ann", "arg.secret": "s3cret"}).fields

    assert (user.value, user.is_to_retype) == ("ann", False)
    assert (secret.value, secret.is_to_retype) == ("", True)
    assert not form(spec).fields[1].is_to_retype


@pytest.mark.parametrize("schema", [INTEGER, {"type": "number"}, {"type": "array"}])
def test_what_is_sensitive_is_not_in_the_complaint_about_it(schema: dict[str, Any]) -> None:
    spec = function(parameter("secret", schema))

    assert "It is not repeated here" in complaint(spec, secret="s3cret")["arg.secret"]
    assert complaint(spec, secret=" ") == {"arg.secret": "This is needed."}


def test_where_any_name_may_be_sensitive_the_field_for_all_names_is() -> None:
    spec = msgspec.structs.replace(
        function(parameter("user", TEXT), parameter("others", {}, kind=Kind.VAR_KEYWORD)),
        options=Options(sensitive=("pin",)),
    )

    assert [field.is_sensitive for field in form(spec).fields] == [False, True]
    assert typed(spec, "[]", '{"user": "ann", "pin": "[redacted]"}') == {"arg.user": "ann"}


ADDRESS = {
    "type": "object",
    "title": "Address",
    "properties": {
        "street": TEXT,
        "number": INTEGER,
        "since": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
    },
    "required": ["street", "number"],
}


def test_an_object_whose_parts_are_known_is_a_group_of_fields() -> None:
    spec = function(
        parameter("home", {"$ref": "#/$defs/Address"}), **{"$defs": {"Address": ADDRESS}}
    )
    given = {"home.street": "Quay", "home.number": "7", "home.since": ""}
    assert sent(spec, **given)["kwargs"] == {"home": {"street": "Quay", "number": 7}}
    assert complaint(spec, **{"home.number": "x"}).keys() == {"arg.home.street", "arg.home.number"}
    again = typed(spec, "[]", '{"home":{"street":"Quay","number":7}}')
    assert again == {"arg.home.street": "Quay", "arg.home.number": "7"}
    (mistake,) = form(spec, errors={"arg.home.number": "x is not a whole number."}).mistakes
    assert (mistake.id, mistake.label) == ("arg-home.number", "home.number")


def test_a_group_that_is_not_needed_is_left_out_whole_or_given_whole() -> None:
    spec = function(
        parameter("home", {"anyOf": [ADDRESS, {"type": "null"}]}, default="null"),
    )
    assert sent(spec)["kwargs"] == {}
    assert complaint(spec, **{"home.number": "7"}).keys() == {"arg.home.street"}
    assert typed(spec, "[null]", "{}") == {}


def test_groups_deeper_than_two_and_objects_with_any_parts_take_json() -> None:
    inner: dict[str, Any] = {"type": "object", "properties": {"n": INTEGER}}
    for _ in range(2):
        inner = {"type": "object", "properties": {"inner": inner}}
    (outer,) = form(function(parameter("x", inner))).fields
    assert [each.control for each in outer.all()] == [Control.GROUP, Control.GROUP, Control.JSON]
    (free,) = form(function(parameter("x", inner | {"additionalProperties": True}))).fields
    assert free.control is Control.JSON


@pytest.mark.parametrize(
    ("given", "shown", "zone"),
    [
        ("2027-01-31T12:00:00", "2027-01-31T12:00:00", ""),
        ("2027-01-31T12:00:00Z", "2027-01-31T12:00:00", "Z"),
        ("2027-01-31T20:00:00+08:00", "2027-01-31T12:00:00", "Z"),
    ],
)
def test_a_moment_is_typed_again_as_the_same_moment(given: str, shown: str, zone: str) -> None:
    spec = function(parameter("due", {"type": "string", "format": "date-time"}))
    again = typed(spec, json.dumps([given]), "{}")
    assert again == {"arg.due": shown, "zone.due": zone}
    (field,) = form(spec, again).fields
    assert field.input_type == "datetime-local"
    assert json.loads(body(spec, again))["kwargs"] == {"due": f"{shown}{zone}"}


def test_a_moment_that_a_browser_cannot_show_whole_is_shown_as_text() -> None:
    spec = function(parameter("due", {"type": "string", "format": "date-time"}))
    (field,) = form(spec, {"arg.due": "2027-01-31T12:00:00.123456"}).fields
    assert field.input_type == "text"
