"""Kinds of pools."""

from enum import StrEnum


class PoolKind(StrEnum):
    """What the slots of a pool are."""

    THREAD = "thread"
    PROCESS = "process"
