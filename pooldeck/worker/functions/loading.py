"""Loads what a worker serves, each module by itself: a bad one costs its own functions only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pooldeck.loaded_code import LoadedCode, ModuleFailure
from pooldeck.protocol import Loading, Setup
from pooldeck.worker import failures
from pooldeck.worker.channel import Channel
from pooldeck.worker.functions import discovery, missing_modules, sources
from pooldeck.worker.functions.discovery import Function
from pooldeck.worker.logs import capture
from pooldeck.worker.logs.output import OutputFile


@dataclass
class Loader:
    """Imports the modules of a worker, and keeps why some could not be."""

    channel: Channel
    setup: Setup
    output: OutputFile | None
    failures: list[ModuleFailure] = field(init=False)
    _sources: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.failures = list(self.setup.left_out)

    def load(self, commands: Iterable[Function]) -> Mapping[str, Function]:
        """Return the functions of all modules that can be loaded, and the commands, by name."""
        left_out = {failure.module for failure in self.failures}
        found = [
            function
            for module in self.setup.modules
            if module not in left_out
            for function in self._functions_of(module)
        ]
        self.channel.send(Loading(None))
        return discovery.by_name([*found, *commands])

    def loaded(self, functions: Iterable[Function]) -> LoadedCode:
        """Return all that was loaded as data, the initializer's imports included."""
        return LoadedCode(
            modules=tuple(self.setup.modules),
            functions=tuple(function.spec for function in functions),
            failures=tuple(self.failures),
            sources=self._note_sources(),
        )

    def _functions_of(self, module: str) -> list[Function]:
        self.channel.send(Loading(module))
        begin = self._written
        try:
            found = discovery.functions_of(module, self.setup.modules)
        except BaseException as exception:  # noqa: BLE001 - sys.exit() in a module is such a failure too
            described = failures.describe(exception, self.setup.limits)
            worker = self.setup.worker
            error = missing_modules.with_hint(described, exception, module, worker)
            self.failures.append(ModuleFailure(module, error, self.output_since(begin)))
            return []
        self._note_sources()
        return found

    def _note_sources(self) -> dict[str, str]:
        """Note what was in the files that were loaded since the last time, as soon as may be."""
        found = sources.loaded(self.setup.modules, self._sources)
        self._sources.update(found)
        return self._sources

    @property
    def _written(self) -> int:
        return 0 if self.output is None else self.output.size

    def output_since(self, begin: int = 0) -> str:
        """Return the last of what was written from the byte `begin` on."""
        capture.flush()
        limit = self.setup.limits.message_bytes
        return "" if self.output is None else self.output.tail(limit, begin)
