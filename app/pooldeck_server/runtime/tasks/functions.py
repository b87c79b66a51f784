"""Keeps the catalogue: what the workers last reported, in memory and in the store."""

from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass, field

from pooldeck.functions import FunctionSpec
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.functions.catalogue import Catalogue
from pooldeck_server.domain.functions.placements import Placement
from pooldeck_server.runtime.background import BackgroundTasks
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import records
from pooldeck_server.store.transaction import Transaction


@dataclass(kw_only=True, eq=False)
class Functions:
    """The catalogue of this moment."""

    catalogue: Catalogue
    specs: InitVar[Sequence[FunctionSpec]]  # the functions in it
    recorder: Recorder
    clock: Clock
    _writes: BackgroundTasks = field(init=False, default_factory=BackgroundTasks)
    _erases: bool = field(init=False, default=False)

    def __post_init__(self, specs: Sequence[FunctionSpec]) -> None:
        self._specs = list(specs)
        self._guard_secrets()

    def report(self, specs: list[FunctionSpec]) -> None:
        """Take what a worker reports; every worker of every pool reports the same."""
        if self.catalogue.is_known and specs == self._specs:
            return
        self._specs = specs
        self.catalogue = self.catalogue.with_specs(specs)
        self._guard_secrets()
        now = self.clock.now()
        self._write(lambda tx: records.save_catalogue(tx, specs, now))

    def place(self, function: str, placement: Placement | None) -> None:
        """Let a function run elsewhere from now on; None: where it starts."""
        self.catalogue = self.catalogue.placed(function, placement)

    def _guard_secrets(self) -> None:
        """Let the store erase thoroughly once there are sensitive arguments to erase."""
        if not self._erases and any(spec.options.sensitive for spec in self._specs):
            self._erases = True
            self._write(records.erase_traces)

    def _write(self, write: Callable[[Transaction], None]) -> None:
        self._writes.start(self.recorder.try_perform(write, "what is known of the functions"))
