"""What was found, as JSON."""

from collections.abc import Mapping, Sequence

import msgspec

from bench.figures import Figure


def as_json(found_on: Mapping[str, str], figures: Sequence[Figure]) -> bytes:
    """Return the figures, with the machine that they hold for, as JSON with line breaks."""
    report = {"machine": found_on, "figures": figures}
    return msgspec.json.format(msgspec.json.encode(report)) + b"\n"
