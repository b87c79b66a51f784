"""The colours of functions: stable, different in one view, and legible on every ground."""

import itertools
import re
from collections import Counter

import pytest

from pooldeck_server.resources import resource
from pooldeck_server.web.text.colours import COLOURS, OTHER, colour_of, colours_of

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


def test_twelve_functions_in_view_have_twelve_colours() -> None:
    names = [f"acme.jobs.task_{number}" for number in range(COLOURS)]
    assert len({colour_of(name) for name in names}) < COLOURS  # by their names alone
    assert set(colours_of(dict.fromkeys(names, 1.0)).values()) == set(range(COLOURS))


def test_a_function_without_a_rival_has_the_colour_of_its_name() -> None:
    for name in ("acme.render", "acme.thumbnail", "größe.λ"):
        assert colours_of({name: 1.0}) == {name: colour_of(name)}


def test_what_shows_least_is_grey_and_nobody_else_changes_for_it() -> None:
    weights = {f"acme.f{number}": 100.0 - number for number in range(17)}
    found = colours_of(weights)
    assert [name for name, colour in found.items() if colour == OTHER] == list(weights)[COLOURS:]
    most = dict(list(weights.items())[:COLOURS])
    assert colours_of(most) == {name: found[name] for name in most}
    assert colours_of({name: 1 / weight for name, weight in most.items()}) == colours_of(most)


def test_a_colour_that_is_taken_beside_the_view_goes_to_nobody_in_it() -> None:
    rival = colour_of("acme.render")
    found = colours_of({"acme.render": 2.0, "acme.first": 1.0}, {"acme.first": rival})
    assert found["acme.first"] == rival
    assert found["acme.render"] not in {rival, OTHER}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_parts_of_a_tasks_time_have_colours_that_differ_and_stand_out(theme: int) -> None:
    names = pairs("base") | pairs("colours")
    text = (resource("static") / "css" / "task_drawings.css").read_text()
    used = dict(re.findall(r"\.segment-(\w+) \{ fill: var\(--([\w-]+)\)", text))
    used["cpu"] = used.pop("run", "accent")  # one rule for both
    assert set(used) == {"queued", "handover", "decode", "cpu", "off", "encode", "record"}
    found = [names[name][theme] for name in used.values()]
    assert len(set(found)) == len(found)
    for colour, ground in itertools.product(found, ("ground", "surface")):
        assert contrast(colour, names[ground][theme]) >= LEAST_CONTRAST, (colour, ground)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_stands_out_from_every_ground(theme: int) -> None:
    base = pairs("base")
    grounds = [base[name][theme] for name in ("ground", "surface", "raised")]
    colours = pairs("colours")
    assert set(colours) == {f"fn-{number}" for number in range(COLOURS)}
    for colour, ground in itertools.product((*colours.values(), base["dim"]), grounds):
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
