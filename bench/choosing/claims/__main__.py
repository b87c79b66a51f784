"""`python -m bench.choosing.claims NAME ...`: shows claims on this machine; without a name, all."""

import argparse
from collections.abc import Sequence

from bench.choosing.claims import CLAIMS, show


def main(arguments: Sequence[str] | None = None) -> None:
    """Show the claims that `arguments` (default: those of the process) name."""
    parser = argparse.ArgumentParser(prog="python -m bench.choosing.claims", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"some of: {', '.join(CLAIMS)}; default: all"
    )
    names = parser.parse_args(arguments).names or list(CLAIMS)
    if unknown := [name for name in names if name not in CLAIMS]:
        parser.error(f"there is no claim {unknown[0]}; there are {', '.join(CLAIMS)}")
    for name in names:
        print(f"{show(name)}\n", flush=True)


if __name__ == "__main__":
    main()
