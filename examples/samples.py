"""Makes the files that the other examples work on: `python -m examples.samples FOLDER`.

A book of common words, drawn with a fixed seed, as one file and by chapters, and a warehouse: the
same on every machine.
"""

import random
import sys
from pathlib import Path

from examples import warehouse

_WORDS = """\
the of and to in a is that it was for on are as with his they at be this from have or by one
had not but what all were when we there can an your which their said if do will each about
how up out them then she many some so these would other into has more her two like him see
time could no make than first been its who now people my made over did down only way find
use may water long little very after words called just where most know get through back much
before go good new write our used me man too any day same right look think also around
another came come work three word must because does part even place well such here take why
things help put years different away again off went old number lane pool deck swimmer guard
"""

_WORDS_PER_LINE = 12
_LINES_PER_CHAPTER = 600


def write_samples(folder: Path, chapters: int = 80) -> None:
    """Write `book.txt` (`chapters` of about 35 KB each), its chapters and `warehouse.sqlite`."""
    folder.mkdir(parents=True, exist_ok=True)
    dice = random.Random(1873)
    texts = [_chapter(number, dice) for number in range(1, chapters + 1)]
    for number, text in enumerate(texts, start=1):
        (folder / f"chapter-{number:02}.txt").write_text(text, encoding="utf-8")
    (folder / "book.txt").write_text("\n\n".join(texts), encoding="utf-8")
    warehouse.fill(folder / warehouse.DATABASE.name)


def _chapter(number: int, dice: random.Random) -> str:
    words = _WORDS.split()
    lines = (" ".join(dice.choices(words, k=_WORDS_PER_LINE)) for _ in range(_LINES_PER_CHAPTER))
    return f"Chapter {number}\n\n" + "\n".join(lines)


if __name__ == "__main__":
    write_samples(Path(sys.argv[1]))
