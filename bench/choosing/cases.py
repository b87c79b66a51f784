"""What is known of each function: how it spends its time, and in which kind of pool it belongs.

The nature of a function follows from what it calls, not from a measurement: plain Python and most C
code hold the GIL; zlib, hashlib (from 2 KiB on), SQLite and system calls give it back. Where two
verdicts fit one function equally well, both count as right; the kind of pool is always one.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from bench.choosing.material import Material

MODULE: Final = "bench.choosing.functions"
COMPANY: Final = "bench.choosing.company"

_HOLDS: Final = ("cpu_holding_gil",)
_RELEASES: Final = ("cpu_releasing_gil",)
_WAITS: Final = ("io_bound",)
_BOTH: Final = ("mixed",)
_TINY: Final = ("too_cheap",)


class Case(Struct, frozen=True):
    """A function with the arguments it is tried with, the verdicts that are right, and the kind.

    `calls` is how many of them a throughput is measured with. `shown_by_company`: where it belongs
    shows only in threads side by side; until then what is said of the kind may be anything, with
    low confidence.
    """

    function: str
    nature: str
    arguments: tuple[Any, ...]
    verdicts: tuple[str, ...]
    kind: str
    calls: int = 24
    shown_by_company: bool = False

    @property
    def name(self) -> str:
        """Return the name that the function is registered by."""
        return f"{MODULE}.{self.function}"


def cases(made_of: Material) -> Sequence[Case]:
    """Return all cases, those that compute first."""
    return (*_computing(made_of), *_releasing(made_of), *_waiting(made_of), *_between(made_of))


def _computing(m: Material) -> Sequence[Case]:
    return (
        Case("count_primes", "plain Python loop", (40_000,), _HOLDS, "process"),
        Case("match_pattern", "regular expression", (m.text,), _HOLDS, "process"),
        Case("rewrite_json", "JSON, read and written", (m.document,), _HOLDS, "process"),
        Case("sort_words", "sorting by a key", (m.text,), _HOLDS, "process"),
        Case("count_words", "regular expression, counted", (m.text,), _HOLDS, "process"),
        Case("add_small_arrays", "NumPy, 16 numbers at a time", (8_000,), _HOLDS, "process"),
        Case("hash_small", "SHA-256 of 960 bytes, often", (50_000,), _HOLDS, "process"),
    )


def _releasing(m: Material) -> Sequence[Case]:
    return (
        Case("hash_large", "SHA-256 of 32 MB", (m.large,), _RELEASES, "thread"),
        Case("hash_in_helpers", "the same in two helper threads", (m.large,), _RELEASES, "thread"),
        Case("derive_key", "PBKDF2", (60_000,), _RELEASES, "thread"),
        Case("compress_large", "zlib, 600 KB", (m.text,), _RELEASES, "thread"),
        Case("query_database", "SQLite, a sum over a table", (m.database,), _RELEASES, "thread"),
        Case("read_files", "96 MB out of the page cache", (m.folder,), _RELEASES, "thread"),
        Case("burn_child", "a child process that computes", (800_000,), _RELEASES, "thread"),
        Case(
            "compress_hard",
            "lzma at its highest level, 94 MB of memory",
            (m.text,),
            (*_RELEASES, *_HOLDS),  # side by side its threads wait for memory as for the GIL
            "process",
            shown_by_company=True,
        ),
    )


def _waiting(m: Material) -> Sequence[Case]:
    return (
        Case("sleep", "sleeping 50 ms", (0.05,), _WAITS, "thread"),
        Case("gather_waits", "async def, five waits at once", (0.05,), _WAITS, "thread"),
        Case("fetch", "HTTP, a server that waits", (m.site,), _WAITS, "thread"),
        Case("fetch_politely", "HTTP, a server that throttles (429)", (m.site,), _WAITS, "thread"),
        Case("await_child", "a child process that waits", (0.05,), _WAITS, "thread"),
    )


def _between(m: Material) -> Sequence[Case]:
    return (
        Case("fill_database", "SQLite, a commit per row", (40,), (*_WAITS, *_BOTH), "thread"),
        Case("fetch_and_parse", "HTTP, then JSON", (m.site,), (*_WAITS, *_BOTH), "thread"),
        Case("compute_a_tenth", "10 % computing", (), (*_WAITS, *_BOTH), "thread"),
        Case("compute_a_third", "33 % computing", (), _BOTH, "thread"),
        Case("compute_four_fifths", "80 % computing", (), (*_BOTH, *_HOLDS), "process"),
        Case("compress_small", "zlib, 75 bytes, often", (m.text,), (*_HOLDS, *_BOTH), "process"),
        Case("add", "an addition", (2, 3), _TINY, "thread", calls=400),
        Case("tidy_name", "a short text", ("ada  LOVELACE",), _TINY, "thread", calls=400),
    )
