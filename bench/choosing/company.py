"""What runs beside the functions that are tried: calls that do nothing but sleep."""

import time

from pooldeck import task


@task
def rest(seconds: float) -> None:
    """Wait for as long as the others are tried; the end of the server ends it."""
    time.sleep(seconds)
