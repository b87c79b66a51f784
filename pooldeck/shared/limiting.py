"""The proxy of a shared rate limiter, which keeps all workers together below a rate."""

import time

from pooldeck.shared.proxies import Proxy

_sleep = time.sleep  # kept, since tasks may replace it


class RateLimiter(Proxy):
    """So many turns a second for all workers together.

    Turns are given in the order of asking, across pools, and each caller waits for its own in its
    own thread, without holding anything. A turn that its caller does not live to take is lost. The
    rate is kept over time; single turns come as exactly as the operating system wakes a sleeper.

    Args:
        name: Its name, such as that of the target.
        per_second: Turns a second; who says it last has the last word.
        burst: How many may come at once after a pause.

    Raises:
        ValueError: If there would be no turns.
    """

    kind = "rate_limiter"

    def __init__(self, name: str, *, per_second: float, burst: int = 1) -> None:
        if per_second <= 0 or burst < 1:
            raise ValueError("per_second is above 0, and burst at least 1")
        super().__init__(name)
        self._settings = {"per_second": per_second, "burst": burst}

    def acquire(self, n: int = 1, *, timeout: float | None = None) -> bool:
        """Wait for the next turn, or the next `n`.

        Args:
            n: How many turns.
            timeout: The longest wait, in seconds; None for any.

        Returns:
            Whether the turn came. If it would come later than `timeout`, this returns at once and
            no turn is taken.

        Raises:
            ValueError: If `n` is not at least 1.
        """
        if n < 1:
            raise ValueError(f"at least one turn is taken, not {n}")
        is_taken, seconds = self._call("reserve", n, timeout)
        if is_taken and seconds > 0:
            _sleep(seconds)
        return bool(is_taken)

    def pause(self, seconds: float) -> None:
        """Let nobody have a new turn for so long, as when the target answers 429 Retry-After."""
        self._call("pause", max(0.0, float(seconds)))
