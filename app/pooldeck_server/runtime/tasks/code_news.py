"""Says in the server's log what the code that a worker has loaded brings, and what it lacks."""

import logging
import re
from collections.abc import Collection, Mapping
from pathlib import PurePath
from typing import Final

import pooldeck
from pooldeck.loaded_code import ModuleFailure
from pooldeck_server.domain.functions.catalogue import Catalogue
from pooldeck_server.domain.functions.version import Version, said_of
from pooldeck_server.domain.log_subjects import about

_log = logging.getLogger(__name__)
_NAMED: Final = 10  # functions
_DUMP: Final = "(most recent call first)"  # as faulthandler has it
_FRAME: Final = re.compile(r'File "([^"\n]+)", line (\d+)')
_OWN: Final = PurePath(pooldeck.__file__).parent


class CodeNews:
    """Compares what is loaded with what was, so that each thing is said once."""

    def __init__(self) -> None:
        self._names: frozenset[str] | None = None  # of the functions that some worker can run
        self._failing: Mapping[str, ModuleFailure] = {}
        self._defects: Mapping[str, str] = {}
        self._empty: frozenset[str] = frozenset()

    def tell(self, catalogue: Catalogue, versions: Collection[Version]) -> None:
        """Say what is new; `versions` are all that is loaded."""
        self._tell_failures(catalogue.failures, versions)
        self._tell_functions(catalogue, versions)
        self._tell_defects(catalogue)
        self._tell_empty(catalogue)

    def _tell_failures(
        self, now: Mapping[str, ModuleFailure], versions: Collection[Version]
    ) -> None:
        before, self._failing = self._failing, now
        for module, failure in now.items():
            if module not in before or before[module].error != failure.error:
                _log.warning(
                    "the module %s could not be loaded%s: %s. New workers are without its "
                    "functions: mend it, then restart the pools",
                    module,
                    _where(failure.error.traceback),
                    said_of(failure),
                    extra=about(module=module, reason=said_of(failure)),
                )
        for module in before.keys() - now.keys():
            if any(module in version.code.modules for version in versions):
                _log.warning("the module %s is loaded again", module, extra=about(module=module))

    def _tell_functions(self, catalogue: Catalogue, versions: Collection[Version]) -> None:
        specs = [spec for version in versions for spec in version.code.functions]
        before, self._names = self._names, frozenset(spec.name for spec in specs)
        if before is None:
            functions = _counted(len(self._names), "function")
            modules = _counted(len({spec.module for spec in specs}), "module")
            verb = "is" if len(self._names) == 1 else "are"
            _log.info("%s of %s %s loaded", functions, modules, verb)
            return
        known = {each.spec.name: each.spec.module for each in catalogue.functions()}
        gone = [name for name in before - self._names if known.get(name) not in catalogue.failures]
        if new := sorted(self._names - before):
            _log.info("new code has new functions: %s", _listed(new))
        if gone:
            _log.warning("new code is without these functions: %s", _listed(sorted(gone)))

    def _tell_defects(self, catalogue: Catalogue) -> None:
        """Say which functions cannot be called as they are, whatever workers have loaded."""
        found = {each.spec.name: each.defect for each in catalogue.functions()}
        before, self._defects = self._defects, {name: why for name, why in found.items() if why}
        for name, why in self._defects.items():
            if before.get(name) != why:
                _log.warning("%s cannot be called: %s", name, why, extra=about(function=name))

    def _tell_empty(self, catalogue: Catalogue) -> None:
        """Say which modules were named in vain."""
        before, self._empty = self._empty, frozenset(catalogue.empty_modules)
        for module in sorted(self._empty - before):
            _log.warning(
                "the module %s registers no function: mark one in it with @task, or import one "
                "that is marked",
                module,
                extra=about(module=module),
            )


def _where(traceback: str | None) -> str:
    """Return " (FILE, line N)", of the innermost place; "" where it is not known.

    Where `@task` itself complains, that is the line that it stands in.
    """
    text = traceback or ""
    found = _FRAME.findall(text)
    frames = [each for each in found if not PurePath(each[0]).is_relative_to(_OWN)] or found
    if not frames:
        return ""
    file, line = frames[0 if _DUMP in text else -1]
    return f" ({PurePath(file).name}, line {line})"


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
