"""Parameters of commands: a JSON type with bounds, and how a value becomes text."""

from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

Scalar: TypeAlias = Literal["string", "integer", "number", "boolean"]

_TYPES: Final[dict[Scalar, Any]] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
}
_NUMBERS: Final = frozenset({"integer", "number"})
_CHOOSABLE: Final = frozenset({"string", "integer"})
_NUL: Final = "\0"
_WITH_NUL: Final = {"pattern": "\\x00", "description": "text with a NUL"}
_LIKE_AN_OPTION: Final = {
    "pattern": "^-",
    "description": "text that begins with a dash, which the program could take for an option",
}


class CommandParameter(Struct, frozen=True):
    """What a placeholder takes: a JSON type with its bounds.

    Attributes:
        type: The JSON type of the value.
        items: Of an array: the type of its items, to which bounds and choices then apply.
        default: What it is if it is not given; without one it has to be.
        minimum: Of a number: the least that it may be.
        maximum: Of a number: the most that it may be.
        choices: The strings or integers that it may be.
        description: For people, in the form and in the API.
        leading_dash: Whether text may begin with a dash where the program could take it for an
            option.

    Raises:
        ValueError: If these do not go together; it says what is wrong.
    """

    type: Literal["string", "integer", "number", "boolean", "array"] = "string"
    items: Scalar = "string"
    default: Any = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    choices: tuple[int | str, ...] = ()
    description: str = ""
    leading_dash: bool = False

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        kind = self.kind
        if (self.minimum, self.maximum) != (None, None) and kind not in _NUMBERS:
            raise ValueError(f"minimum and maximum are for numbers, and the type is {kind}")
        if kind == "integer" and (type(self.minimum) is float or type(self.maximum) is float):
            raise ValueError("minimum and maximum of an integer are integers")
        if self.choices and kind not in _CHOOSABLE:
            raise ValueError(f"choices are for strings and integers, and the type is {kind}")
        if self.default is not None:
            try:
                msgspec.convert(self.default, self.annotation())
            except msgspec.ValidationError as error:
                raise ValueError(f"default does not fit: {error}") from None

    @property
    def kind(self) -> Scalar:
        """Return the type of its value, of an array's items."""
        return self.items if self.type == "array" else self.type

    @property
    def is_free_text(self) -> bool:
        """Tell whether it takes any text, and none that begins with a dash was asked for."""
        return self.kind == "string" and not self.choices and not self.leading_dash

    @property
    def plain(self) -> Any:
        """Return its type as a function's signature shows it."""
        return self._as_array(self._chosen or _TYPES[self.kind])

    def annotation(self, *, is_exposed: bool = False) -> Any:
        """Return its type with its bounds, as msgspec describes and checks them.

        It is exposed if a program could take its text for an option.
        """
        item: Any = _TYPES[self.kind]
        if self._chosen is not None:
            item = self._chosen
        elif self.kind in _NUMBERS:
            item = Annotated[item, Meta(ge=self.minimum, le=self.maximum)]
        elif self.kind == "string":
            refused = [_WITH_NUL, _LIKE_AN_OPTION] if is_exposed else [_WITH_NUL]
            schema = {"allOf": [{"not": each} for each in refused]}
            item = Annotated[item, Meta(extra_json_schema=schema)]
        return Annotated[self._as_array(item), Meta(description=self.description or None)]

    @property
    def _chosen(self) -> Any:
        return Literal.__getitem__(tuple(self.choices)) if self.choices else None

    def _as_array(self, item: Any) -> Any:
        return list.__class_getitem__(item) if self.type == "array" else item

    def texts(self, name: str, value: Any, *, is_exposed: bool) -> list[str]:
        """Return a value as the texts that the program gets: one, or one for each item.

        Raises:
            ValueError: If it cannot be an argument.
        """
        texts = [self._text(item) for item in (value if self.type == "array" else [value])]
        for text in texts:
            _check(name, text, is_exposed=is_exposed)
        return texts

    def _text(self, value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if self.kind == "integer":
            return str(int(value))  # JSON has one kind of number: 5.0 is an integer, too
        return str(value)


def _check(name: str, text: str, *, is_exposed: bool) -> None:
    if _NUL in text:
        raise ValueError(f"{name}: it has a NUL, which no argument can hold")
    if is_exposed and text.startswith("-"):
        raise ValueError(
            f"{name}: it begins with a dash, so the program could take it for an option; whoever "
            'declares the command can put "--" before its placeholder or set leading_dash'
        )
