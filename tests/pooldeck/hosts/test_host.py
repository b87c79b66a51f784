"""How a host process ends that is asked to."""

import asyncio
import signal
import time
from pathlib import Path

from tests.support.host_ledger import Ledger
from tests.support.hosted import hosts
from tests.support.pooled import eventually


async def test_a_second_signal_cuts_off_what_the_first_has_let_go_on(tmp_path: Path) -> None:
    async with hosts(tmp_path, size=1, modules=("host_functions",)) as there:
        ledger = Ledger(there)
        await there.ready(1)
        ledger.call("1", 60)
        await eventually(lambda: ledger.has_begun("1"))
        (process,) = there.processes.values()
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)  # in the same moment: no second request
        await eventually(lambda: bool(there.pool.hosts[0].state == "draining"))
        await asyncio.sleep(0.5)
        seen = ledger.lines()[-1]
        assert process.returncode is None
        assert seen[0] == "alive"

        process.send_signal(signal.SIGTERM)
        asked_at = time.monotonic()

        assert await asyncio.wait_for(process.wait(), 30) == 0
        assert time.monotonic() - asked_at < 6  # of 10 that the first one gave
        await ledger.all_said(1)
        assert ledger.kinds() == {"host_lost": 1}
        ledger.check(1)
