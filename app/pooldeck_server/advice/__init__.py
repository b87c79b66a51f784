"""What measurements say: thread or process, and how many. Pure functions over values.

The way of an advice:

    profiles ──▶ numbers   one run in the mean, what it met beside it taken out
                    │
                    ▼
                 verdict   what kind of function it is: the first rule that fits
                    │
                    ▼
                 model     how many runs a second each kind of pool can get through
                    │
                    ▼
                 advice    which kind, which pool, what a move would gain, and how sure that is
"""

from pooldeck_server.advice.placing import advise
from pooldeck_server.advice.values import (
    Advice,
    AdviceRule,
    Confidence,
    Numbers,
    PoolShape,
    Recommendation,
    RunCostNumbers,
    Verdict,
)

__all__ = [
    "Advice",
    "AdviceRule",
    "Confidence",
    "Numbers",
    "PoolShape",
    "Recommendation",
    "RunCostNumbers",
    "Verdict",
    "advise",
]
