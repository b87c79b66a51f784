"""Work that keeps a CPU busy in Python code: it belongs in a process pool."""

from collections import Counter
from math import isqrt
from pathlib import Path

from pooldeck import current_task, task


@task(pool="cpu")
def primes(limit: int = 1_000_000) -> dict[str, int]:
    """Count the prime numbers below a limit with the sieve of Eratosthenes.

    Args:
        limit: The first number that is not looked at.

    Returns:
        How many there are, and the largest (0 where there is none).
    """
    sieve = bytearray([1]) * max(limit, 2)
    sieve[:2] = b"\0\0"
    for number in range(2, isqrt(len(sieve) - 1) + 1):
        if sieve[number]:
            multiples = slice(number * number, None, number)
            sieve[multiples] = bytes(len(range(*multiples.indices(len(sieve)))))
    return {"count": sieve.count(1), "largest": max(sieve.rfind(1), 0)}


@task(pool="cpu")
def count_words(book: str = "examples/data/book.txt", top: int = 10) -> dict[str, int]:
    """Count how often each word occurs in a text.

    Args:
        book: The file to read, UTF-8.
        top: How many of the most frequent words to return.

    Returns:
        Word → number of times, the most frequent first.
    """
    path = Path(book)
    total = path.stat().st_size
    counts: Counter[str] = Counter()
    read = 0
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            read += len(line)
            counts.update(line.lower().split())
            current_task().progress(min(read / total, 1.0))
    return dict(counts.most_common(top))
