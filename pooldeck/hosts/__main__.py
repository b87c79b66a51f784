"""`python -m pooldeck.hosts --pool POOL`: the process of a host.

The address of the server, the token and the certificate authority stand in POOLDECK_SERVER,
POOLDECK_TOKEN and POOLDECK_AUTHORITY, or in a file of mode 0600. They are never on the command
line, which everybody can read.
"""

import argparse
import sys
from pathlib import Path

from msgspec.structs import replace

from pooldeck.hosts.presence import TAKEN, PlaceTaken
from pooldeck.hosts.program import BadHostError, host_options, log_to_stderr, open_paths, run


def main() -> int:
    """Be a host; return the exit code of the process."""
    parser = argparse.ArgumentParser(prog="python -m pooldeck.hosts", description="Be a host.")
    parser.add_argument("--pool", required=True, help="the pool that it is part of")
    parser.add_argument("--name", help="its name, by default that of the machine")
    parser.add_argument("--has", action="append", default=[], help="what it has, such as gpu=1")
    parser.add_argument("--config", type=Path, help="a file with server, token and authority")
    parser.add_argument("--path", action="append", default=[], help="a folder with user modules")
    parser.add_argument("--state", type=Path, help="where it keeps its files")
    parser.add_argument("--verbose", action="store_true", help="log more")
    parser.add_argument("--place", type=Path, help="where its agent finds it; for agents")
    parser.add_argument("--run", default="", help="the run of the server it is for; for agents")
    told = parser.parse_args()
    log_to_stderr(verbose=told.verbose)
    open_paths(told.path)
    try:
        options = host_options(told.pool, told.name, told.has, config=told.config, state=told.state)
        run(replace(options, place=told.place, run=told.run))
    except PlaceTaken:
        return TAKEN
    except BadHostError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
