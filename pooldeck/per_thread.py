"""Values of which each thread has its own."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerThread(threading.local, Generic[T]):
    """A value for each thread, made when the thread first reads it."""

    def __init__(self, make: Callable[[], T]) -> None:
        self.value = make()
