"""A value of the user's as plain JSON, looked at part by part: what is wrong in it has a place.

This is the slow way, for what C code stumbles over: errors, and keys that are no text.
"""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from pooldeck.text import qualified_name, shown
from pooldeck.worker.values.bad_result import BadResult
from pooldeck.worker.values.type_table import Row, row_of

_STEPS_SHOWN: Final = 6  # of a long place, at each end
_KEYS_SHOWN: Final = 3
_LONGEST: Final = 60  # characters of a key or a place's step
_MOST_SUBSTITUTES: Final = 10  # that may stand for each other
_INSTEAD: Final = "return what matters of it, or say how by pooldeck.register_type"
_BECOME_TEXT: Final = "have become text, as JSON has no others"
_RESULT: Final = "the result"
_TEXT_OF_KEY: Final[dict[Any, str]] = {None: "null", True: "true", False: "false"}


class Plain:
    """Makes plain JSON of one value, nested at most `depth` levels.

    Of one that `is_secret` nothing is repeated. `subject` is what errors call the value.
    """

    def __init__(self, depth: int, *, is_secret: bool, subject: str = _RESULT) -> None:
        self._depth = depth
        self._is_secret = is_secret
        self._subject = subject
        self._place: list[Any] = []  # keys and positions, from the outside in
        self._around: set[int] = set()  # what the part is in, by id
        self._keys: dict[str, str] = {}  # those that have become text, and what they were
        self._number_of_keys = 0

    def of(self, value: Any) -> Any:
        """Return plain JSON for the value.

        Raises:
            BadResult: If there is none.
        """
        return self._part(value, _MOST_SUBSTITUTES)

    def words_on_keys(self) -> str | None:
        """Return what to say of keys that were no text; None where all of them were."""
        if not self._keys:
            return None
        if self._is_secret:
            return f"{self._number_of_keys:,} keys of {self._subject} {_BECOME_TEXT}"
        named = ", ".join(f"{text} ({kind})" for text, kind in self._keys.items())
        more = self._number_of_keys - len(self._keys)
        others = f" and {more:,} more" if more else ""
        return f"keys of {self._subject} {_BECOME_TEXT}: {named}{others}"

    def _part(self, value: Any, substitutes: int) -> Any:
        if value is None or isinstance(value, (bool, str, int, float)):
            return self._scalar(value)
        if isinstance(value, dict):
            with self._inside(value):
                return self._object(value)
        if isinstance(value, (list, tuple)):
            with self._inside(value):
                return [self._at(index, each) for index, each in enumerate(value)]
        return self._part(self._substitute(value, substitutes), substitutes - 1)

    def _at(self, step: Any, value: Any) -> Any:
        self._place.append(step)
        part = self._part(value, _MOST_SUBSTITUTES)
        self._place.pop()
        return part

    @contextmanager
    def _inside(self, value: Any) -> Iterator[None]:
        if id(value) in self._around:
            raise self._error("ValueError", "contains itself")
        if len(self._place) >= self._depth:
            raise self._error("ValueError", f"is nested more than {self._depth} levels deep")
        self._around.add(id(value))
        yield
        self._around.discard(id(value))

    def _scalar(self, value: Any) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            name = "NaN" if math.isnan(value) else "an infinity"
            raise self._refusal("ValueError", name, "return None in its place, or leave it out")
        if isinstance(value, str):
            self._check_text(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            self._check_whole_number(value)
        return value

    def _check_text(self, value: str) -> None:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise self._error(
                "UnicodeEncodeError",
                "has text that UTF-8 cannot hold (a lone surrogate)",
                'use .encode("utf-8", "replace").decode() on it',
            ) from None

    def _check_whole_number(self, value: int) -> None:
        try:
            int.__repr__(value)
        except ValueError:
            raise self._error(
                "ValueError", "has a whole number of too many digits", "return hex(...) of it"
            ) from None

    def _substitute(self, value: Any, left: int) -> Any:
        """Return what stands for a value that JSON does not have."""
        row = self._row_of(value)
        if row is None or row.encode is None or not left:
            instead = row.instead if row and row.instead else _INSTEAD
            raise self._refusal("TypeError", _named(value), instead)
        return self._encoded(value, row.encode)

    def _row_of(self, value: Any) -> Row | None:
        return row_of(type(value))

    def _encoded(self, value: Any, encode: Callable[[Any], Any]) -> Any:
        try:
            return encode(value)
        except BaseException as error:  # noqa: BLE001 - it is the user's code
            raise self._error(
                qualified_name(type(error)),
                f"cannot be turned into JSON: {qualified_name(type(value))}"
                f"{'' if self._is_secret else f': {shown(error)}'}",
            ) from None

    def _object(self, value: dict[Any, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        origins: dict[str, Any] = {}
        for key, each in value.items():
            text = key if isinstance(key, str) else self._text(key)
            if text in found:
                raise self._error(
                    "ValueError",
                    f"has two keys that become one text: {self._described(origins[text])} and "
                    f"{self._described(key)}",
                    "make them differ as text",
                )
            self._check_text(text)
            origins[text] = key
            found[text] = self._at(text, each)
        return found

    def _text(self, key: Any) -> str:
        """Return what becomes of a key that is no text."""
        plain = self._plain_key(key)
        if isinstance(plain, float) and not math.isfinite(plain):
            raise self._refusal("ValueError", f"the key {plain}", "leave it out, or name it")
        if plain is None or isinstance(plain, bool):
            text = _TEXT_OF_KEY[plain]
        elif isinstance(plain, (str, int, float)):
            text = plain if isinstance(plain, str) else json.dumps(plain)
        else:
            instead = 'make one text of it, as "a/b", or return a list of rows'
            raise self._refusal("TypeError", f"a key that is {self._described(key)}", instead)
        self._note(text, key)
        return text

    def _plain_key(self, key: Any) -> Any:
        for _ in range(_MOST_SUBSTITUTES):
            row = row_of(type(key))
            if isinstance(key, (str, int, float, tuple)) or row is None or row.encode is None:
                break
            key = self._encoded(key, row.encode)
        return key

    def _note(self, text: str, key: Any) -> None:
        self._number_of_keys += 1
        if len(self._keys) < _KEYS_SHOWN:
            self._keys[_cut(text)] = qualified_name(type(key))

    def _refusal(self, error_type: str, what: str, instead: str) -> BadResult:
        return BadResult(
            error_type,
            f"{self._subject} contains {what}, which JSON does not have{self._where()}; "
            f"{self._advice(instead)}",
        )

    def _error(self, error_type: str, what: str, instead: str = "") -> BadResult:
        advice = f"; {self._advice(instead)}" if instead else ""
        return BadResult(error_type, f"{self._subject} {what}{self._where()}{advice}")

    def _advice(self, instead: str) -> str:
        """Return what to do instead: a result is returned, anything else is passed."""
        return instead if self._subject == _RESULT else instead.replace("return ", "pass ")

    def _where(self) -> str:
        steps = list(map(self._step, self._place))
        if len(steps) > 2 * _STEPS_SHOWN:
            steps = [*steps[:_STEPS_SHOWN], " ... ", *steps[-_STEPS_SHOWN:]]
        return f", at {''.join(steps)}" if steps else ""

    def _step(self, step: Any) -> str:
        if isinstance(step, int):
            return f"[{step}]"
        if self._is_secret:
            return "[...]"
        is_short = step.isidentifier() and len(step) <= _LONGEST
        return f".{step}" if is_short else f"[{_cut(repr(step))}]"

    def _described(self, key: Any) -> str:
        kind = qualified_name(type(key))
        if self._is_secret:
            return f"a {kind}"
        return f"{_cut(repr(key) if isinstance(key, (str, tuple)) else shown(key))} ({kind})"


def _named(value: Any) -> str:
    is_class = isinstance(value, type)
    return f"the class {value.__qualname__}" if is_class else qualified_name(type(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
