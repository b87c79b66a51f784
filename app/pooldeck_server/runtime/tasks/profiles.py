"""What the runs of each function cost: gathered as they end, kept in the store.

It owns the profiles of all functions in pools of each kind. What pools report is only gathered; it
becomes part of a profile when somebody asks for that, or every ten seconds, when the recorder gets
the profiles that have changed. All of it runs on the event loop.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from pooldeck.kinds import KINDS, PoolKind
from pooldeck.outcome import Measurement, Observation
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import records

_SECONDS: Final = 10.0
_LATEST: Final = 512  # runs of a function between two looks at its profile: older ones hardly count

_Key: TypeAlias = tuple[str, PoolKind]  # a function, and where it ran


class _Gathered(Struct):
    """What came in of a function since its profile was brought up to date."""

    runs: int = 0
    measured: deque[Measurement] = msgspec.field(default_factory=lambda: deque(maxlen=_LATEST))
    observations: list[Observation] = []


@dataclass(kw_only=True, eq=False)
class Profiles(BackgroundPart):
    """Knows the profile of every function."""

    doing = "writing profiles"

    recorder: Recorder
    clock: Clock
    kept: InitVar[Iterable[Profile]] = ()  # what the store knows from before
    _profiles: dict[str, dict[PoolKind, Profile]] = field(init=False, default_factory=dict)
    _gathered: dict[_Key, _Gathered] = field(init=False, default_factory=dict)
    _unwritten: set[_Key] = field(init=False, default_factory=set)

    def __post_init__(self, kept: Iterable[Profile]) -> None:
        for profile in kept:
            self._put(profile)

    async def stop(self) -> None:
        await super().stop()
        await self.write()

    def add_measurement(self, function: str, kind: PoolKind, measurement: Measurement) -> None:
        gathered = self._gathered.get((function, kind)) or self._new(function, kind)
        gathered.runs += 1
        gathered.measured.append(measurement)

    def add_observations(self, kind: PoolKind, observations: Sequence[Observation]) -> None:
        for seen in observations:
            gathered = self._gathered.get((seen.function, kind)) or self._new(seen.function, kind)
            gathered.observations.append(seen)

    def of(self, function: str) -> Mapping[PoolKind, Profile]:
        """Return the profiles of a function, by the kind of pool; none of where it never ran."""
        for kind in KINDS:
            self._flush((function, kind))
        return self._profiles.get(function, {})

    async def write(self) -> None:
        """Write what has changed, or let it wait for the next time."""
        for key in list(self._gathered):
            self._flush(key)
        keys, self._unwritten = self._unwritten, set()
        if not keys:
            return
        profiles = [self._profiles[function][kind] for function, kind in keys]
        what = f"the profiles of {len(keys)} functions"
        if not await self.recorder.try_perform(
            lambda tx: records.save_profiles(tx, profiles), what, is_tried_again=True
        ):
            self._unwritten |= keys

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS)
            await self.write()

    def _new(self, function: str, kind: PoolKind) -> _Gathered:
        gathered = self._gathered[function, kind] = _Gathered()
        return gathered

    def _flush(self, key: _Key) -> None:
        gathered = self._gathered.pop(key, None)
        if gathered is None:
            return
        function, kind = key
        before = self._profiles.get(function, {}).get(kind) or Profile(function, kind)
        after = before.after(
            gathered.measured, gathered.observations, runs=gathered.runs, now=self.clock.now()
        )
        self._put(after)
        self._unwritten.add(key)

    def _put(self, profile: Profile) -> None:
        self._profiles.setdefault(profile.function, {})[profile.kind] = profile
