"""A script with an executor: a crash costs everything, and nobody sees what runs."""

from concurrent.futures import ProcessPoolExecutor
from math import isqrt


def primes_below(limit: int) -> int:
    return sum(all(n % d for d in range(2, isqrt(n) + 1)) for n in range(2, limit))


if __name__ == "__main__":
    with ProcessPoolExecutor() as pool:
        print(list(pool.map(primes_below, range(20_000, 40_000, 2_000))))
