"""Text that was written for a terminal: the sequences in it, and the text without them.

What they are is said by ECMA-48; what C1 controls are, too, which are one character each.
"""

import re
from typing import Final

SEQUENCE: Final = re.compile(
    r"(?:\x1b\[|\x9b)(?P<parameters>[0-?]*)[ -/]*(?P<final>[@-~]?)"  # colours, moves, erasures
    r"|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])"  # titles and links, up to their end
    r"[^\x07\x1b\n\x80-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
"""What a terminal obeys instead of showing it, but tabs and ends of lines.

Of a sequence that sets colours `final` is "m". What is cut off in its middle counts as well.
"""

_RETURN: Final = re.compile(r"\r+\n?")


def plain(text: str) -> str:
    """Return `text` without what only a terminal would obey; a carriage return ends a line."""
    return text if text.isprintable() else SEQUENCE.sub("", with_lines(text))


def with_lines(text: str) -> str:
    """Return `text` with ends of lines in place of carriage returns."""
    return _RETURN.sub("\n", text) if "\r" in text else text
