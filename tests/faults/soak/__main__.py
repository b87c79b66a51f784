"""`make soak`: SECONDS (600) and SEED come from the environment; exit code 1 if all is not well."""

import os
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.client import Client
from tests.faults.deployment import deployed
from tests.faults.oracle import answered, violations
from tests.faults.prober import probing
from tests.faults.soak.load import loaded
from tests.faults.soak.menu import ENDS, FAULTS, Fault
from tests.faults.soak.site import SIZES, SOAK_CONFIG, Site
from tests.faults.soak.vitals import Watch, watching

_PAUSE = (1.0, 4.0)  # seconds between two faults
_LAST_TASKS = 180.0  # seconds that what is left may take
_ENDS_WEIGH = 3  # times as much as any other fault, while they are allowed


def main() -> int:
    """Run the soak; return the exit code."""
    seconds = float(os.environ.get("SECONDS", "600"))
    seed = int(os.environ.get("SEED", str(random.SystemRandom().randrange(10**9))))
    say(f"{seconds:g} seconds, SEED={seed}")
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        found = soak(Path(folder), seconds, random.Random(seed))
    for line in found:
        say(f"DOES NOT HOLD: {line}")
    say("all holds" if not found else f"{len(found)} things do not hold; SEED={seed}")
    return 1 if found else 0


def say(line: str) -> None:
    """Print a line with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)  # noqa: T201 - a program that prints


def soak(folder: Path, seconds: float, chance: random.Random) -> list[str]:
    """Run a server under load and faults; return what does not hold."""
    with deployed(folder, SOAK_CONFIG) as deployment, Client(deployment) as client:
        with probing(lambda: deployment.url) as prober:
            site = Site(deployment, client, prober, chance, set())
            with watching(lambda: deployment.process.pid) as watch:
                with loaded(deployment, client.ledger, chance):
                    mishaps = disturb(site, seconds)
                settle(site)
            asked = violations(deployment, client.ledger, killed=site.killed)
        found = [*mishaps, *asked, *tell(site, watch)]
        deployment.stop()
        return found + [line for family in deployment.families for line in family.left_in_the_end()]


def disturb(site: Site, seconds: float) -> list[str]:
    """Do one fault after the other; return what went wrong with the doing."""
    began, mishaps = time.monotonic(), []
    while (elapsed := time.monotonic() - began) < seconds:
        is_first_half = elapsed < seconds / 2
        fault = site.chance.choice(FAULTS + _ENDS_WEIGH * ENDS if is_first_half else FAULTS)
        say(fault.__name__)
        mishaps += do(fault, site)
        time.sleep(site.chance.uniform(*_PAUSE))
    return mishaps


def do(fault: Fault, site: Site) -> list[str]:
    """Do one fault; a server that is gone by then is started again."""
    try:
        fault(site)
    except Exception as error:  # noqa: BLE001 - the soak goes on, and fails in the end
        say(f"{fault.__name__}: {error!r}"[:2000])
        if site.deployment.has_ended:
            site.deployment.start()
        return [f"{fault.__name__}: {error!r}"[:2000]]
    return []


def settle(site: Site) -> None:
    """Let everything come to its end."""
    for pool, size in SIZES.items():
        site.client.call("PATCH", f"/pools/{pool}", json={"size": size, "paused": False})
    site.client.settle()
    try:
        site.deployment.when_quiet(_LAST_TASKS)
    except AssertionError as error:
        say(str(error))  # the oracle names the tasks


def tell(site: Site, watch: Watch) -> list[str]:
    """Print the figures; return those that are not as they should be."""
    entries = site.client.ledger.entries
    refused = sum(entry.refusal is not None for entry in entries)
    say(f"{len(entries)} submissions, {refused} refused, {len(site.deployment.families)} lives")
    say(f"/healthz: {site.prober.p99:.3f} s at the 99th percentile")
    lines, grown = watch.judge()
    for line in lines:
        say(line)
    return [*answered(site.prober), *grown]


if __name__ == "__main__":
    sys.exit(main())
