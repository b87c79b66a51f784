"""Text that was written for a terminal, as markup: colours as classes of static/css/ansi.css."""

from collections import deque
from collections.abc import Iterator
from typing import Final, TypeAlias

from markupsafe import Markup, escape
from msgspec import Struct
from msgspec.structs import replace

from pooldeck_server.domain.terminal_text import SEQUENCE, with_lines

_Rgb: TypeAlias = tuple[int, int, int]

_PALETTE: Final[dict[str, _Rgb]] = {
    "black": (0, 0, 0),
    "red": (205, 0, 0),
    "green": (0, 205, 0),
    "yellow": (205, 205, 0),
    "blue": (0, 0, 238),
    "magenta": (205, 0, 205),
    "cyan": (0, 205, 205),
    "white": (229, 229, 229),
    "bright-black": (127, 127, 127),
    "bright-red": (255, 0, 0),
    "bright-green": (0, 255, 0),
    "bright-yellow": (255, 255, 0),
    "bright-blue": (92, 92, 255),
    "bright-magenta": (255, 0, 255),
    "bright-cyan": (0, 255, 255),
    "bright-white": (255, 255, 255),
}
"""As xterm has them: a colour of more than these becomes the nearest of them."""

_COLOURS: Final = tuple(_PALETTE)
_LEVELS: Final = (0, 95, 135, 175, 215, 255)  # of each part of the 216 colours from number 16 on
_GREYS: Final = 232  # the number of the first grey

_BEGINS: Final = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "struck"}
_ENDS: Final = {
    22: ("bold", "dim"),
    23: ("italic",),
    24: ("underline",),
    27: ("reverse",),
    29: ("struck",),
}
_PLAIN, _BRIGHT = _COLOURS[:8], _COLOURS[8:]
_SETS: Final[dict[int, tuple[str, str]]] = {39: ("colour", ""), 49: ("ground", "")} | {
    first + n: (field, name)
    for first, field, names in (
        (30, "colour", _PLAIN),
        (40, "ground", _PLAIN),
        (90, "colour", _BRIGHT),
        (100, "ground", _BRIGHT),
    )
    for n, name in enumerate(names)
}
_EXTENDED: Final = {38: "colour", 48: "ground"}
_PRIVATE: Final = ("<", "=", ">", "?")  # what follows is of one make of terminals
_VALUES: Final = {"5": 1, "2": 3}  # that follow 38 or 48: the number of a colour, or its parts


class _Style(Struct, frozen=True):
    """How text looks from some place on."""

    colour: str = ""
    ground: str = ""
    marks: frozenset[str] = frozenset()

    @property
    def classes(self) -> str:
        names = [self.colour, self.ground and f"on-{self.ground}", *sorted(self.marks)]
        return " ".join(f"ansi-{name}" for name in names if name)


def coloured(text: str) -> Markup:
    """Return `text` as markup that has its colours; all else that only a terminal obeys goes."""
    if text.isprintable():
        return escape(text)
    return Markup().join(_spans(with_lines(text)))


def _spans(text: str) -> Iterator[Markup]:
    style, start = _Style(), 0
    for found in SEQUENCE.finditer(text):
        yield _span(text[start : found.start()], style)
        start = found.end()
        if found["final"] == "m" and not found["parameters"].startswith(_PRIVATE):
            style = _obey(style, found["parameters"])
    yield _span(text[start:], style)


def _span(text: str, style: _Style) -> Markup:
    classes = style.classes
    if not text or not classes:
        return escape(text)
    return Markup('<span class="{}">{}</span>').format(classes, text)


def _obey(style: _Style, parameters: str) -> _Style:
    """Return how text looks after the sequence that has these parameters."""
    rest = deque(parameters.split(";"))
    while rest:
        code, *more = rest.popleft().split(":")
        number = _number(code)
        if number in _EXTENDED:
            style = replace(style, **{_EXTENDED[number]: _extended(more or _take(rest))})
        elif more == ["0"]:  # such as an underline of no kind
            style = replace(style, marks=style.marks - {_BEGINS.get(number, "")})
        else:
            style = _change(style, number)
    return style


def _change(style: _Style, number: int) -> _Style:
    """Return how text looks after a code that needs no others."""
    if number == 0:
        return _Style()
    if number in _SETS:
        field, name = _SETS[number]
        return replace(style, **{field: name})
    begun = {_BEGINS[number]} if number in _BEGINS else set()
    return replace(style, marks=(style.marks | begun).difference(_ENDS.get(number, ())))


def _take(rest: deque[str]) -> list[str]:
    """Take what belongs to a code 38 or 48 from the codes that follow it."""
    kind = rest.popleft() if rest else ""
    return [kind, *(rest.popleft() for _ in range(min(_VALUES.get(kind, 0), len(rest))))]


def _extended(values: list[str]) -> str:
    """Return the nearest colour of those that have names; an empty text for what is none."""
    kind, *numbers = values
    wanted = _VALUES.get(kind, 0)
    parts = [min(_number(each), 255) for each in numbers[-wanted:]] if wanted else []
    if len(parts) != wanted or not wanted:
        return ""
    if wanted == 1:
        return _of_number(parts[0])
    red, green, blue = parts
    return _nearest((red, green, blue))


def _of_number(number: int) -> str:
    """Return the colour of a number from 0 to 255."""
    if number < len(_COLOURS):
        return _COLOURS[number]
    if number >= _GREYS:
        grey = 8 + 10 * (number - _GREYS)
        return _nearest((grey, grey, grey))
    red, rest = divmod(number - len(_COLOURS), 36)
    green, blue = divmod(rest, 6)
    return _nearest((_LEVELS[red], _LEVELS[green], _LEVELS[blue]))


def _nearest(wanted: _Rgb) -> str:
    def distance(name: str) -> int:
        return sum((a - b) ** 2 for a, b in zip(wanted, _PALETTE[name], strict=True))

    return min(_COLOURS, key=distance)


def _number(code: str) -> int:
    """Return a code as a number: 0 where it is left out, and one without meaning if it is none."""
    if not code:
        return 0
    return int(code) if len(code) < 4 and code.isdecimal() else 999  # noqa: PLR2004 - three digits
