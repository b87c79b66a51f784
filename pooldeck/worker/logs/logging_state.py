"""The state of `logging`, which a task may change and the next one must not meet.

It is what the imports and the initializer have made it. Loggers that appear later are taken as they
are found: libraries set up their own when they are first used.
"""

import contextlib
import functools
import logging
from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final, NamedTuple

_GLOBALS: Final = ("_loggerClass", "_logRecordFactory", "lastResort", "raiseExceptions")
_CHANGES: Final = ("addHandler", "removeHandler", "addFilter", "removeFilter")

_module: Final[dict[str, Any]] = vars(logging)
_globals: Final = itemgetter(*_GLOBALS)  # what `setLoggerClass` and the like set in the module


class _Mark:
    """Tells that a logger was changed since the last look."""

    is_set = False


class _State(NamedTuple):
    """The state of a logger."""

    logger: logging.Logger
    level: int
    handlers: list[logging.Handler]
    filters: list[Any]
    propagate: bool
    disabled: bool


class LoggingState:
    """The state of `logging` as it is when this is made."""

    def __init__(self) -> None:
        self._root = logging.getLogger()
        self._manager = self._root.manager
        self._disable = self._manager.disable
        self._globals = _globals(_module)
        self._class = self._manager.loggerClass
        self._states: dict[str, _State] = {}
        self._root_state = _state_of(self._root)
        self._adopt()
        logger: Any = logging.Logger
        for name in ("__setattr__", *_CHANGES):
            setattr(logger, name, _marking(getattr(logger, name)))

    def restore(self, *, was_quick: bool) -> None:
        """Put it back, after a task.

        Of one that was quick it is not seen if it has put something into the lists of a logger
        directly, the root apart; that is put back after the next one that was not.
        """
        is_changed = (
            _Mark.is_set
            or self._manager._disable != self._disable  # type: ignore[attr-defined]  # noqa: SLF001 - `disable` is a property
            or _globals(_module) != self._globals
            or _has_other_lists(self._root_state)
            or (not was_quick and any(map(_has_other_lists, tuple(self._states.values()))))
        )
        if is_changed:
            _Mark.is_set = False  # first: what is put back has another look follow, and that is all
            self._restore_all()

    def _restore_all(self) -> None:
        self._manager.disable = self._disable
        self._manager.loggerClass = self._class
        _module.update(zip(_GLOBALS, self._globals, strict=True))
        for state in (self._root_state, *self._states.values()):
            with contextlib.suppress(Exception):  # its class may be the user's
                _restore(state)
        self._adopt()

    def _adopt(self) -> None:
        """Take in the loggers that are new."""
        known = self._states
        for name, logger in tuple(self._manager.loggerDict.items()):
            if name not in known and isinstance(logger, logging.Logger):
                known[name] = _state_of(logger)


def _state_of(logger: logging.Logger) -> _State:
    return _State(
        logger,
        logger.level,
        logger.handlers[:],
        logger.filters[:],
        logger.propagate,
        logger.disabled,
    )


def _has_other_lists(state: _State) -> bool:
    logger = state.logger
    return logger.handlers != state.handlers or logger.filters != state.filters


def _restore(state: _State) -> None:
    logger, level, handlers, filters, propagate, disabled = state
    if logger.level != level:
        logger.setLevel(level)
    if logger.handlers != handlers:
        logger.handlers = handlers[:]
    if logger.filters != filters:
        logger.filters = filters[:]
    if logger.propagate != propagate:
        logger.propagate = propagate
    if logger.disabled != disabled:
        logger.disabled = disabled


def _marking(change: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(change)
    def marking(self: logging.Logger, *args: Any) -> None:
        _Mark.is_set = True
        change(self, *args)

    return marking
