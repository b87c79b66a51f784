"""Text of the user's, made safe to send: encodable, and no longer than allowed."""

from dataclasses import dataclass, field

_CUT = " ... (cut)"


def bounded(text: str, most: int) -> str:
    """Return `text` in at most `most` bytes of UTF-8, and a note beyond them if it was cut.

    What UTF-8 cannot hold (lone surrogates) is written as an escape.
    """
    if len(text) <= most and text.isascii():
        return text
    encoded = text[: most + 1].encode("utf-8", "backslashreplace")
    if len(encoded) <= most:
        return encoded.decode()
    return encoded[:most].decode("utf-8", "ignore") + _CUT


def shown(value: object) -> str:
    """Return `str(value)`; if that raises, as code of the user's may, say so instead."""
    try:
        return str(value)
    except BaseException as error:  # noqa: BLE001 - __str__ is the user's code
        return f"(its text cannot be shown: __str__ raised {type(error).__name__})"


def qualified_name(kind: type) -> str:
    """Return a type's name, after that of its module if it is not built in."""
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


@dataclass
class LineBuffer:
    """Cuts a stream of text into lines; keeps the unfinished last one.

    A carriage return starts its line anew, as on a terminal, so that a progress bar is one line. An
    unfinished line counts as finished when it has more than `most` characters.
    """

    most: int
    rest: str = field(default="", init=False)  # the unfinished line

    def feed(self, text: str) -> list[str]:
        """Return the lines that are complete with `text`."""
        if "\n" not in text and "\r" not in text and len(self.rest) + len(text) <= self.most:
            self.rest += text
            return []
        if text == "\n":  # as `print` ends its lines
            line, self.rest = self.rest, ""
            return [_overwritten(line)]
        *lines, rest = (self.rest + text).split("\n")
        if len(rest) > self.most:
            lines.append(rest)
            rest = ""
        self.rest = rest[rest.rstrip("\r").rfind("\r") + 1 :] if "\r" in rest else rest
        return [_overwritten(line) for line in lines]

    @property
    def unfinished(self) -> str:
        """What a terminal would show of the line that is not complete yet."""
        return _overwritten(self.rest)

    def finish(self) -> list[str]:
        """Return the unfinished line, if there is one."""
        rest, self.rest = _overwritten(self.rest), ""
        return [rest] if rest else []


def _overwritten(line: str) -> str:
    """Return what a terminal would show of a line with carriage returns."""
    if "\r" not in line:
        return line
    return line.rstrip("\r").rpartition("\r")[2]
