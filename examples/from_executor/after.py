from math import isqrt

import pooldeck


@pooldeck.task(pool="cpu")
def primes_below(limit: int) -> int:
    return sum(all(n % d for d in range(2, isqrt(n) + 1)) for n in range(2, limit))


if __name__ == "__main__":
    with pooldeck.Server([primes_below], data="record") as server:
        with pooldeck.RemoteExecutor(server.client()) as pool:
            print(list(pool.map(primes_below, range(20_000, 40_000, 2_000))))
        input(f"Look at {server.url}/tasks, then press Enter. ")
