"""Keeps the catalogue: what the workers have loaded, pool by pool, in memory and in the store.

Workers of one server may have different code: after a deploy some have the new one and others not
yet, and a broken module is missing in those that were started since. So each worker counts for
itself. What is submitted has to fit what any worker of its pool has; what waits is given to those
that take its arguments.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Final

from pooldeck.functions import FunctionSpec
from pooldeck.loaded_code import LoadedCode, ModuleFailure
from pooldeck_server.domain.actions import Deed
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.functions.catalogue import Catalogue
from pooldeck_server.domain.functions.placements import Placement
from pooldeck_server.domain.functions.version import Version, differences
from pooldeck_server.domain.pools.hosts import host_of
from pooldeck_server.domain.tasks.task import QueuedTask
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.background import BackgroundTasks
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.code_news import CodeNews
from pooldeck_server.runtime.tasks.keys import TaskKeys
from pooldeck_server.store import records
from pooldeck_server.store.transaction import Transaction

_MISSING: Final = ModuleNotFoundError.__name__


@dataclass(eq=False)
class _PoolCode:
    """What the workers of one pool have loaded."""

    latest: Version | None = None  # what one of them has reported last, even if it was refused
    latest_of: str = ""  # that worker
    by_worker: dict[str, Version] = field(default_factory=dict)  # of those that are there
    staffed: tuple[str, ...] = ()  # the workers that have slots
    versions: tuple[Version, ...] = ()  # theirs, the newest first; where there are none, the last
    changed_after: int = 0  # tasks up to this number were checked against other code

    @property
    def is_mixed(self) -> bool:
        return len(self.versions) > 1

    @property
    def failures(self) -> Mapping[str, ModuleFailure]:
        """The modules that could not be loaded when a worker last tried.

        One that a host has not, and others have, is no fault of the code: its host says so.
        """
        found = {} if self.latest is None else self.latest.failures
        if not found or (host := host_of(self.latest_of)) is None:
            return found
        elsewhere = {
            module
            for worker, version in self.by_worker.items()
            if host_of(worker) != host
            for module in version.code.modules
            if module not in version.failures
        }
        return {
            module: failure
            for module, failure in found.items()
            if failure.error.type != _MISSING or module not in elsewhere
        }


@dataclass(kw_only=True, eq=False)
class Functions:
    """The catalogue of this moment, and which worker can run what."""

    catalogue: Catalogue
    specs: InitVar[Iterable[FunctionSpec]]  # the functions in it
    keys: TaskKeys
    recorder: Recorder
    clock: Clock
    on_change: Callable[[], None]  # told when other code than before is there
    _newest: Version | None = field(init=False, default=None)  # what a worker loaded last
    _versions: dict[str, Version] = field(init=False, default_factory=dict)  # by id, newest last
    _pools: dict[str, _PoolCode] = field(init=False, default_factory=dict)
    _news: CodeNews = field(init=False, default_factory=CodeNews)
    _writes: BackgroundTasks = field(init=False, default_factory=BackgroundTasks)
    _erases: bool = field(init=False, default=False)

    def __post_init__(self, specs: Iterable[FunctionSpec]) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._guard_secrets()

    # What workers report.

    def add_report(self, pool: str, worker: str, code: LoadedCode) -> None:
        """Take what a worker has loaded, before it has a slot."""
        version = Version(code)
        self._note_deploy(version)
        version = self._versions.pop(version.id, version)
        self._versions[version.id] = version
        of_pool = self._of(pool)
        of_pool.by_worker[worker] = version
        is_news = self._newest is not version or of_pool.latest is not version
        self._newest = of_pool.latest = version
        of_pool.latest_of = worker
        if is_news:
            self._renew()

    def note_workers(
        self, pool: str, staffed: Sequence[str], ready: Sequence[str], there: Collection[str]
    ) -> bool:
        """Take down which workers of a pool have slots, are ready for them, and are there at all.

        Returns:
            Whether the pool has other code than before.
        """
        code = self._of(pool)
        code.staffed = tuple(staffed)
        if not code.by_worker.keys() <= set(there):
            kept = {name: each for name, each in code.by_worker.items() if name in there}
            code.by_worker = kept
        versions = _versions(code, staffed) or _versions(code, ready)
        if not versions or versions == code.versions:
            return False
        code.versions, code.changed_after = versions, self.keys.last_seq
        self._renew()
        return True

    def _of(self, pool: str) -> _PoolCode:
        """Return a pool's code; what waited before this server's start was checked by another."""
        if pool not in self._pools:
            self._pools[pool] = _PoolCode(changed_after=self.keys.last_seq)
        return self._pools[pool]

    def _renew(self) -> None:
        """Make the catalogue anew of what is loaded by now."""
        self._forget_versions()
        failures = {pool: code.failures for pool, code in self._pools.items() if code.failures}
        known = self._known(keeps_all=bool(failures))
        self.catalogue = self.catalogue.with_specs(
            known,
            {pool: code.versions for pool, code in self._pools.items() if code.versions},
            failures,
            self._gone(known),
        )
        self._keep()
        self._guard_secrets()
        self._news.tell(self.catalogue, self._offered())
        self.on_change()

    def _forget_versions(self) -> None:
        """Keep only the versions that are loaded somewhere, or by which a pool is known."""
        used = set(self._offered())
        for code in self._pools.values():
            used.update(code.by_worker.values())
        self._versions = {id_: each for id_, each in self._versions.items() if each in used}

    def _offered(self) -> list[Version]:
        """Return the versions that submissions are checked against, and what was loaded last."""
        found = [version for code in self._pools.values() for version in code.versions]
        latest = [code.latest for code in self._pools.values() if code.latest is not None]
        return list(dict.fromkeys(found + latest))

    def _known(self, *, keeps_all: bool) -> list[FunctionSpec]:
        """Return each function as it was reported last.

        As long as a module cannot be loaded those are kept that it had, or that may be in it now.
        """
        known = dict(self._specs) if keeps_all else {}
        offered = set(self._offered())
        for version in self._versions.values():
            if version in offered:
                known |= {spec.name: spec for spec in version.code.functions}
        return sorted(known.values(), key=lambda spec: spec.name)

    def _gone(self, known: Iterable[FunctionSpec]) -> set[str]:
        """Return the functions that the newest code is without, though it has their modules."""
        if self._newest is None:
            return set()
        there = {spec.name for spec in self._newest.code.functions}
        missing = self._newest.failures
        return {
            spec.name for spec in known if spec.name not in there and spec.module not in missing
        }

    def _keep(self) -> None:
        """Keep in the store what a later server begins with."""
        specs = {function.spec.name: function.spec for function in self.catalogue.functions()}
        if specs == self._specs:
            return
        self._specs = specs
        now = self.clock.now()
        self._write(lambda tx: records.save_catalogue(tx, list(specs.values()), now))

    def _note_deploy(self, version: Version) -> None:
        """Note that a worker is the first of all to have loaded other code than was there.

        What was there before this server began is known by what its functions said.
        """
        newest = self._newest
        if version.id in self._versions or (newest and not version.differs_from(newest)):
            return
        before = {spec.name: spec for spec in (newest.code.functions if newest else ())}
        changes = differences(before or self._specs, version)
        if newest is None and (not self._specs or not changes):
            return
        action = acting.action(
            self.clock.now(),
            Deed.DEPLOY,
            "server",
            before=None if newest is None else {"version": newest.id},
            after={"version": version.id} | changes,
            by=acting.part("functions"),
        )
        self.recorder.record_action(action)

    # What is asked.

    @property
    def failures(self) -> Mapping[str, ModuleFailure]:
        """The modules that could not be loaded when a worker of any pool last tried."""
        return self.catalogue.failures

    def sure_after(self, pool: str) -> float:
        """Return the number of a task after which all workers of a pool take every one.

        They have one code then, and it is the one that those tasks were checked against.
        """
        code = self._of(pool)
        return math.inf if code.is_mixed else code.changed_after

    def takers(self, pool: str, task: QueuedTask) -> Collection[str] | None:
        """Return the workers of a pool that take a task with its arguments; None: all do."""
        code = self._of(pool)
        if not code.versions:
            return None
        fitting = {version for version in code.versions if _takes(version, task)}
        if len(fitting) == len(code.versions) or (fitting and not code.staffed):
            return None
        return {name for name in code.staffed if code.by_worker.get(name) in fitting}

    def obstacle(self, pool: str, function: str) -> str:
        """Return why tasks of a function wait that no worker of a pool takes."""
        if all(function not in version.signatures for version in self._of(pool).versions):
            known = {each.spec.name: each for each in self.catalogue.functions()}.get(function)
            why = known and (known.spec.problem or known.obstacle(pool))
            return why or f"the code that the workers of pool {pool} have loaded is without it"
        return f"in the workers of pool {pool} it takes other arguments"

    def version_of(self, pool: str, worker: str) -> Version | None:
        """Return which code a worker has, None if it has not reported yet."""
        return self._of(pool).by_worker.get(worker)

    @property
    def newest(self) -> Version | None:
        """The code that a worker has loaded last."""
        return self._newest

    @property
    def versions(self) -> tuple[Version, ...]:
        """All code that is loaded somewhere."""
        return tuple(self._versions.values())

    # What is set.

    def place(self, function: str, placement: Placement | None) -> None:
        """Let a function run elsewhere from now on; None: where it starts."""
        self.catalogue = self.catalogue.placed(function, placement)

    def _guard_secrets(self) -> None:
        """Let the store erase thoroughly once there are sensitive arguments to erase."""
        if not self._erases and any(spec.options.sensitive for spec in self._specs.values()):
            self._erases = True
            self._write(records.erase_traces)

    def _write(self, write: Callable[[Transaction], None]) -> None:
        self._writes.start(self.recorder.try_perform(write, "what is known of the functions"))


def _takes(version: Version, task: QueuedTask) -> bool:
    signature = version.signatures.get(task.function)
    return signature is not None and signature.takes(task.args, task.kwargs)


def _versions(code: _PoolCode, workers: Sequence[str]) -> tuple[Version, ...]:
    """Return what some workers have, each version once, the latest reported first."""
    theirs = [code.by_worker[name] for name in reversed(code.by_worker) if name in workers]
    return tuple(dict.fromkeys(theirs))
