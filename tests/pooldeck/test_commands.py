"""What a command may be declared as, and how values become its argument vector."""

from typing import Any

import msgspec
import pytest

from pooldeck.command_parameters import CommandParameter
from pooldeck.commands import Command
from pooldeck.functions import Options


def command(
    *run: str, parameters: dict[str, CommandParameter] | None = None, **more: Any
) -> Command:
    """Return a command."""
    return Command(run, Options(name="commands.it"), parameters or {}, **more)


@pytest.mark.parametrize(
    "value",
    ["", "two words", "$HOME `id` ; rm -r *", 'quote\'d "twice"', "line\nbreak", "{x}", "ü"],
)
def test_a_value_fills_exactly_its_place(value: str) -> None:
    it = command("convert", "in={source}", "{{}}", "--", "{source}", "{width}x{width}")

    vector = it.arguments({"source": value, "width": "3"})

    assert vector == ["convert", f"in={value}", "{}", "--", value, "3x3"]


def test_an_array_takes_an_argument_for_each_item() -> None:
    it = command("cat", "--", "{files}", "{last}", parameters={"files": CommandParameter("array")})

    assert it.arguments({"files": ["a b", "-c"], "last": "d"}) == ["cat", "--", "a b", "-c", "d"]
    assert it.arguments({"files": [], "last": "d"}) == ["cat", "--", "d"]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("integer", 5, "5"),
        ("integer", -5, "-5"),
        ("integer", 5.0, "5"),
        ("integer", 2**70, str(2**70)),
        ("number", 0.25, "0.25"),
        ("boolean", True, "true"),
        ("boolean", False, "false"),
    ],
)
def test_a_value_is_written_as_json_has_it(kind: Any, value: Any, text: str) -> None:
    it = command("it", "{value}", parameters={"value": CommandParameter(kind)})

    assert it.arguments({"value": value}) == ["it", text]


def test_text_that_could_be_taken_for_an_option_is_refused_where_it_could() -> None:
    it = command("it", "{first}", "x{second}", "--", "{third}")
    fine = {"first": "a", "second": "-b", "third": "-c"}

    assert it.exposed() == {"first"}
    assert it.arguments(fine) == ["it", "a", "x-b", "--", "-c"]
    with pytest.raises(ValueError, match="first: it begins with a dash"):
        it.arguments({**fine, "first": "-a"})


def test_whoever_declares_a_command_can_let_a_dash_in() -> None:
    parameters = {
        "flag": CommandParameter(choices=("-r", "-f")),
        "more": CommandParameter(leading_dash=True),
    }
    it = command("it", "{flag}", "{more}", parameters=parameters)

    assert it.arguments({"flag": "-r", "more": "-x"}) == ["it", "-r", "-x"]


def test_a_nul_is_refused_everywhere() -> None:
    with pytest.raises(ValueError, match="text: it has a NUL"):
        command("it", "--", "{text}").arguments({"text": "a\0b"})
    with pytest.raises(ValueError, match="cannot hold a NUL"):
        command("it", "a\0b")


def test_standard_input_is_a_text_with_placeholders() -> None:
    it = command("mail", "{to}", input="Hello {name},\n{{}}\n")

    assert list(it.placeholders()) == ["to", "name"]
    assert it.standard_input({"to": "x", "name": "-A b"}) == "Hello -A b,\n{}\n"


@pytest.mark.parametrize(
    ("run", "complaint"),
    [
        ((), "run begins with the program"),
        (("",), "run begins with the program"),
        (("{program}", "x"), "run begins with the program"),
        (("it", "{"), "'{': .*; a brace itself is written twice"),
        (("it", "}"), "a brace itself is written twice"),
        (("it", "{}"), "a placeholder is a name"),
        (("it", "{0}"), "a placeholder is a name"),
        (("it", "{a.b}"), "a placeholder is a name"),
        (("it", "{a!r}"), "a placeholder is a name"),
        (("it", "{a:>9}"), "a placeholder is a name"),
        (("it", "{class}"), "a placeholder is a name"),
        (("it", "x{list}", "{used}"), "list is an array: its placeholder is an entry of run"),
        (("it", "{list}", "{{used}}"), "neither run nor input has a placeholder for used"),
    ],
)
def test_a_declaration_that_cannot_work_says_why(run: tuple[str, ...], complaint: str) -> None:
    parameters = {}
    if "list" in "".join(run):
        parameters = {"list": CommandParameter("array"), "used": CommandParameter()}

    with pytest.raises(ValueError, match=complaint):
        command(*run, parameters=parameters)


def test_only_placeholders_can_be_sensitive() -> None:
    with pytest.raises(ValueError, match="sensitive names what is no placeholder: pin"):
        Command(("it", "{path}"), Options(sensitive=("path", "pin")))


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"minimum": 1}, "minimum and maximum are for numbers, and the type is string"),
        ({"type": "array", "maximum": 1}, "minimum and maximum are for numbers"),
        ({"type": "integer", "minimum": 0.5}, "minimum and maximum of an integer are integers"),
        ({"type": "number", "choices": (1, 2)}, "choices are for strings and integers"),
        ({"type": "integer", "default": "x"}, "default does not fit"),
        ({"type": "integer", "default": 0, "minimum": 1}, "default does not fit"),
        ({"choices": ("a", "b"), "default": "c"}, "default does not fit"),
        ({"type": "array", "items": "integer", "default": ["x"]}, "default does not fit"),
    ],
)
def test_a_parameter_that_contradicts_itself_says_how(
    fields: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        CommandParameter(**fields)


def test_a_command_crosses_the_pipe() -> None:
    it = command(
        "it",
        "{n}",
        parameters={"n": CommandParameter("integer", default=1, minimum=0)},
        environment={"LANG": "C"},
    )

    assert msgspec.msgpack.decode(msgspec.msgpack.encode(it), type=Command) == it
