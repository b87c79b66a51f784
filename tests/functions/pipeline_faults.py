"""Functions of the pipelines whose server dies; each may run again, and is noted each time."""

from pooldeck import task
from tests.faults.effects import effect


@task(idempotent=True)
def numbers(count: int) -> list[int]:
    """Return the numbers from 1 on."""
    with effect():
        return list(range(1, count + 1))


@task(idempotent=True)
def twice(number: int) -> int:
    """Return twice a number."""
    with effect():
        return 2 * number


@task(idempotent=True)
def total(numbers: list[int]) -> int:
    """Return the sum of numbers."""
    with effect():
        return sum(numbers)
