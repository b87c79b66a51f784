"""The colours of functions: stable, spread over all twelve, and legible on every ground."""

import itertools
import re
from collections import Counter

import pytest

from pooldeck_server.resources import resource
from pooldeck_server.web.text.colours import COLOURS, colour_of

LIGHT, DARK = 0, 1
LEAST_CONTRAST = 3.0


def test_a_name_keeps_its_colour_over_versions() -> None:
    names = ("acme.render", "acme.thumbnail", "größe.λ", "")
    assert [colour_of(name) for name in names] == [3, 10, 9, 5]


def test_names_spread_over_all_colours() -> None:
    parts = (("acme", "shop", "etl"), ("load", "send", "build"), ("report", "image", "page"))
    words = [".".join(each) for each in itertools.product(*parts)]
    found = Counter(colour_of(f"{word}_{number}") for word in words for number in range(20))
    assert set(found) == set(range(COLOURS))
    assert max(found.values()) < 2 * min(found.values())


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_stands_out_from_every_ground(theme: int) -> None:
    base = pairs("base")
    grounds = [base[name][theme] for name in ("ground", "surface", "raised")]
    colours = pairs("colours")
    assert set(colours) == {f"fn-{number}" for number in range(COLOURS)}
    for colour, ground in itertools.product(colours.values(), grounds):
        assert contrast(colour[theme], ground) >= LEAST_CONTRAST, (colour[theme], ground)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_no_two_functions_share_a_colour_unless_they_share_its_number(theme: int) -> None:
    assert len({colour[theme] for colour in pairs("colours").values()}) == COLOURS


def pairs(sheet: str) -> dict[str, tuple[str, str]]:
    """Return the colours that a style sheet names, for the light and the dark theme."""
    text = (resource("static") / "css" / f"{sheet}.css").read_text()
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", text)
    return {name: (light, dark) for name, light, dark in found}


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 defines it."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour such as "#0b7391"."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    ]
    return sum(w * s for w, s in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
