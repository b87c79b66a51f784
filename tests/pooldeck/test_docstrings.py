"""What docstrings say of arguments."""

from pooldeck.docstrings import arguments_of, without_arguments

DOC = """Make a picture smaller.

Args:
    path: Where it is,
        from the root.
    width (int): In pixels.

Returns:
    The path of the new one."""


def test_each_argument_is_told_by_its_name() -> None:
    assert arguments_of(DOC) == {"path": "Where it is, from the root.", "width": "In pixels."}
    assert arguments_of("Make a picture smaller.") == {}


def test_a_text_without_its_arguments_keeps_all_else() -> None:
    assert without_arguments(DOC) == (
        "Make a picture smaller.\n\nReturns:\n    The path of the new one."
    )
    assert without_arguments("Args:\n    path: Where.") == ""
    assert without_arguments("Make a picture smaller.") == "Make a picture smaller."
