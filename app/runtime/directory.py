"""Keeps the catalogue: what the workers last reported, in memory and in the store."""

import asyncio
import logging
from collections.abc import Sequence

from app.domain.catalogue import Catalogue
from app.domain.clock import Clock
from app.domain.errors import PooldeckError
from app.runtime.recorder import Recorder
from app.store import records
from pooldeck.functions import FunctionSpec

_log = logging.getLogger(__name__)


class Directory:
    """The catalogue of this moment.

    Args:
        catalogue: What the store kept from the last run.
        specs: The functions in it.
        recorder: Where a newer one is kept.
        clock: The server's time.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        specs: Sequence[FunctionSpec],
        recorder: Recorder,
        clock: Clock,
    ) -> None:
        self.catalogue = catalogue
        self._specs = list(specs)
        self._recorder = recorder
        self._clock = clock
        self._saving: set[asyncio.Task[None]] = set()

    def report(self, specs: list[FunctionSpec]) -> None:
        """Take what a worker reports; every worker of every pool reports the same."""
        if self.catalogue.is_known and specs == self._specs:
            return
        self._specs = specs
        self.catalogue = self.catalogue.with_specs(specs)
        saving = asyncio.create_task(self._save(specs))
        self._saving.add(saving)
        saving.add_done_callback(self._saving.discard)

    async def _save(self, specs: list[FunctionSpec]) -> None:
        now = self._clock.now()
        try:
            await self._recorder.perform(lambda tx: records.save_catalogue(tx, specs, now))
        except PooldeckError as error:
            _log.warning("the catalogue was not kept for the next start: %s", error)
