"""Functions of known nature: what each does with CPU, GIL and time is said in `cases`.

Each does the same work in every call, however long that takes: one that computed for a given time
would do less of it the more others computed beside it. All return something that can be checked.
"""

import asyncio
import hashlib
import json
import lzma
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import numpy as np

from pooldeck import current_task, task

_MEBIBYTE = 1024 * 1024
_ROUNDS_PER_MS = 14_000  # of the loop in `_compute`, on the machine that this was written on


@task
def count_primes(limit: int) -> int:
    """Count the prime numbers below `limit` in a loop of plain Python."""
    found = 0
    for number in range(2, limit):
        found += all(number % divisor for divisor in range(2, int(number**0.5) + 1))
    return found


@task
def match_pattern(file: str) -> int:
    """Count the matches of a regular expression that tries many ways."""
    text = Path(file).read_text()[:200_000]
    return len(re.findall(r"(?:\w+\s+){3}\w*ing\b", text))


@task
def rewrite_json(file: str) -> int:
    """Read a JSON document and write it again, sorted."""
    return len(json.dumps(json.loads(Path(file).read_bytes()), sort_keys=True))


@task
def sort_words(file: str) -> str:
    """Sort the words of a text by a key, and return the middle one."""
    words = sorted(Path(file).read_text()[:400_000].split(), key=lambda word: (len(word), word))
    return words[len(words) // 2]


@task
def count_words(file: str) -> int:
    """Count how often each word of a text is there."""
    words = Counter(re.findall(r"\w+", Path(file).read_text()[:400_000]))
    return words.most_common(1)[0][1]


@task
def add_small_arrays(rounds: int) -> float:
    """Add up small arrays in a loop; NumPy keeps the GIL for fewer than 500 numbers."""
    numbers, total = np.arange(16, dtype=float), 0.0
    for n in range(rounds):
        total += float((numbers * n + 1.0).sum())
    return total


@task
def hash_small(count: int) -> str:
    """Hash many small pieces; hashlib keeps the GIL for less than 2 KiB."""
    digest = b""
    for _ in range(count):
        digest = hashlib.sha256(digest * 30).digest()
    return digest.hex()


@task
def hash_large(file: str) -> str:
    """Hash a large file in one piece; hashlib gives the GIL back meanwhile."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


@task
def derive_key(rounds: int) -> str:
    """Make a key of a password, as a login does."""
    return hashlib.pbkdf2_hmac("sha256", b"password", b"salt", rounds).hex()


@task
def compress_large(file: str) -> int:
    """Compress a text in one piece; zlib gives the GIL back meanwhile."""
    return len(zlib.compress(Path(file).read_bytes(), 6))


@task
def compress_hard(file: str) -> int:
    """Compress a text at the highest level, which asks the system for much memory each time."""
    return len(lzma.compress(Path(file).read_bytes()[:200_000], preset=9))


@task
def compress_small(file: str) -> int:
    """Compress every line of a text by itself; zlib gives the GIL back for each."""
    return sum(len(zlib.compress(line)) for line in Path(file).read_bytes().splitlines()[:8000])


@task
def query_database(file: str) -> int:
    """Ask SQLite for a sum over a whole table."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        row: tuple[int] = connection.execute("SELECT sum(a * b % 97) FROM numbers").fetchone()
    return row[0]


@task
def fill_database(rows: int) -> int:
    """Write rows into a SQLite database of its own, each in a commit that reaches the disk."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(sqlite3.connect(Path(folder) / "rows.sqlite3")) as connection,
    ):
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE rows (number INTEGER)")
        for number in range(rows):
            connection.execute("INSERT INTO rows VALUES (?)", [number])
            connection.commit()
        found: tuple[int] = connection.execute("SELECT sum(number) FROM rows").fetchone()
    return found[0]


@task
def read_files(folder: str) -> int:
    """Read the files of a folder, which the system has in memory, piece by piece."""
    size = 0
    for path in Path(folder).iterdir():
        with path.open("rb", buffering=0) as stream:
            size += sum(len(piece) for piece in iter(partial(stream.read, _MEBIBYTE), b""))
    return size


@task
def sleep(seconds: float) -> float:
    """Wait for nothing."""
    time.sleep(seconds)
    return seconds


@task
async def gather_waits(seconds: float) -> int:
    """Wait for five things at once in an event loop."""
    return len(await asyncio.gather(*(asyncio.sleep(seconds) for _ in range(5))))


@task
def fetch(address: str) -> int:
    """Fetch a page from a server that takes its time."""
    _, page = ask(address, "/slow")
    return len(page)


@task
def fetch_politely(address: str) -> int:
    """Fetch two pages from a server that throttles: wait as long as it says, and try again."""
    return sum(len(_fetch_when_allowed(address)) for _ in range(2))


@task
def fetch_and_parse(address: str) -> int:
    """Fetch a JSON document from a slow server, and add up what it holds."""
    _, document = ask(address, "/numbers")
    return sum(row["number"] for row in json.loads(document))


@task
def await_child(seconds: float) -> int:
    """Run a program that waits."""
    return subprocess.run(["sleep", str(seconds)], check=True).returncode


@task
def burn_child(rounds: int) -> int:
    """Run a program that computes."""
    code = f"print(sum(n * n % 7 for n in range({rounds})))"
    return int(subprocess.check_output([sys.executable, "-S", "-E", "-c", code]))


@task
def hash_in_helpers(file: str) -> list[str]:
    """Hash the parts of a large file in two threads of its own."""
    content = memoryview(Path(file).read_bytes())
    middle = len(content) // 2
    with ThreadPoolExecutor(2) as helpers:
        parts = helpers.map(hashlib.sha256, [content[:middle], content[middle:]])
        return [part.hexdigest() for part in parts]


@task
def compute_a_tenth() -> int:
    """Compute for 5 ms and wait for 45."""
    return _mixed(5, 0.045)


@task
def compute_a_third() -> int:
    """Compute for 15 ms and wait for 30."""
    return _mixed(15, 0.03)


@task
def compute_four_fifths() -> int:
    """Compute for 40 ms and wait for 10."""
    return _mixed(40, 0.01)


@task
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@task
def tidy_name(name: str) -> str:
    """Bring a name into its usual form."""
    return " ".join(part.capitalize() for part in name.split())


def _mixed(milliseconds: int, seconds: float) -> int:
    """Compute, wait, and compute again."""
    half = milliseconds * _ROUNDS_PER_MS // 2
    first = _compute(half)
    time.sleep(seconds)
    return first + _compute(half)


def _compute(rounds: int) -> int:
    found = 0
    for number in range(rounds):
        found += number * number % 7
    return found


def _fetch_when_allowed(address: str) -> bytes:
    while True:
        pause, page = ask(address, "/throttled")
        if not pause:
            return page
        current_task().throttled(pause)
        time.sleep(pause)


def ask(address: str, path: str) -> tuple[float, bytes]:
    """Return how many seconds to wait before asking again, 0 if there was an answer, and it."""
    host, _, port = address.partition(":")
    with closing(HTTPConnection(host, int(port), timeout=30)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return int(answer.headers.get("Retry-After-Ms", "0")) / 1000, answer.read()
