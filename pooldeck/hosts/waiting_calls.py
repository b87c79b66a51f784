"""Calls that a host was handed and that no worker has taken yet."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from pooldeck.hosts.reporter import HostReporter
from pooldeck.hosts.wire import Post
from pooldeck.pools.pool import Pool

_WAITS: Final = 0.5  # seconds for a call that no worker takes, before it is given back


class WaitingCalls:
    """A short queue before the pool of a host; what waits there for long goes back.

    Args:
        pool: The pool.
        reporter: Tells the server what becomes of calls.
        is_fenced: Tells whether nothing may begin any more.
    """

    def __init__(self, pool: Pool, reporter: HostReporter, is_fenced: Callable[[], bool]) -> None:
        self._pool = pool
        self._reporter = reporter
        self._is_fenced = is_fenced
        self._loop = asyncio.get_running_loop()
        self._waiting = deque[tuple[Post, float]]()

    def add(self, post: Post) -> None:
        """Take a call."""
        self._waiting.append((post, self._loop.time()))
        self.hand_on()

    def hand_on(self) -> None:
        """Hand on what waits, or give it back if nothing may begin any more."""
        if self._is_fenced():
            self._give_back(len(self._waiting))
        while self._waiting:
            post, _ = self._waiting[0]
            if not self._pool.post(post.call, is_quick=post.is_quick, among=post.among):
                return
            self._waiting.popleft()

    async def give_back_late(self) -> None:
        """Give back what has waited for long, again and again."""
        while True:
            await asyncio.sleep(_WAITS / 2)
            since = self._loop.time() - _WAITS
            self._give_back(sum(posted_at < since for _, posted_at in self._waiting))

    def _give_back(self, number: int) -> None:
        self._reporter.returned([self._waiting.popleft()[0].call for _ in range(number)])

    def take_back(self, task: str) -> bool:
        """Give a call back if it waits here; return whether it did."""
        post = self._take(task)
        if post is not None:
            self._reporter.returned([post.call])
        return post is not None

    def kill(self, task: str) -> bool:
        """End a call if it waits here; return whether it did."""
        post = self._take(task)
        if post is not None:
            self._reporter.refused(post.call)
        return post is not None

    def _take(self, task: str) -> Post | None:
        for each in self._waiting:
            if each[0].call.task == task:
                self._waiting.remove(each)
                return each[0]
        return None
