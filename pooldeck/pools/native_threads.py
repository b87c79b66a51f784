"""How many threads native libraries start in a worker: what their variables are set to.

BLAS, OpenMP, Arrow and the like start as many threads as there are CPUs, in every process. Workers
of a process pool share the CPUs, so that each gets its part of them.
"""

from collections.abc import Mapping
from typing import Final

from pooldeck.cpus import usable_cpus
from pooldeck.kinds import KINDS, PoolKind

THREAD_VARIABLES: Final = (
    "OMP_NUM_THREADS",  # OpenBLAS, MKL, BLIS, NumExpr, Arrow and PyTorch follow it as well
    "VECLIB_MAXIMUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
)
"""What libraries read at their import.

None is here for a library that follows the first one unless it has a variable of its own: whoever
sets only the first, in a module too, has his value obeyed.
"""


def threads_per_task(kind: PoolKind, size: int, given: int | None) -> int:
    """Return how many threads native libraries may start for a call; 0: as many as they like.

    Args:
        kind: The kind of the pool.
        size: The slots of the pool.
        given: What its settings say, None for the default: the CPUs divided among processes.
    """
    if given is not None:
        return given
    return max(1, usable_cpus() // size) if KINDS[kind].is_alone else 0


def thread_variables(environment: Mapping[str, str], threads: int) -> dict[str, str]:
    """Return the variables to set beside those of an environment, which keep their values."""
    if not threads:
        return {}
    return {name: str(threads) for name in THREAD_VARIABLES if name not in environment}
