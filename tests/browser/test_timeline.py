"""The timeline in a real browser: bars come live; pointer, keys and address do what they say."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from pooldeck_server.web.text.colours import COLOURS, colours_of
from tests.browser.looking import LOOKS, Open, barriers, expect_live, submitted
from tests.browser.reading import page as page_of
from tests.browser.reading import text_of
from tests.support.serving import Serving

# Their names alone would give four of them one colour, and two another.
_FUNCTIONS: Final[dict[str, tuple[object, ...]]] = {
    "shown.nap": (0.01,),
    "shown.stumble": (),
    "shown.recite": (1,),
    "shown.choose": ("fill",),
    "shown.narrate": ("/",),
    "shown.log_in": ("a", "b"),
}


def test_both_sides_give_functions_the_same_colours(open_page: Open) -> None:
    page = open_page("/timeline")
    names = ["acme.render", "größe.λ", "", *(f"shop.jobs.task_{number}" for number in range(40))]
    some = {name: float(100 - place) for place, name in enumerate(names)}
    views = [some, dict(list(some.items())[:12]), dict(list(some.items())[3:9])]
    for weights in views:
        for fixed in ({}, {"beside": 3, names[0]: 7}):
            shown = page.evaluate(
                """async ([path, names, fixed]) => {
                  const { Palette } = await import(path);
                  const palette = new Palette();
                  palette.show(new Map(names), new Map(fixed));
                  return names.map(([name]) => palette.of(name));
                }""",
                [_module(page), [*weights.items()], [*fixed.items()]],
            )
            assert shown == list(colours_of(weights, fixed).values())
    for number in (*range(COLOURS), "other"):
        assert page.evaluate(
            "name => getComputedStyle(document.documentElement).getPropertyValue(name)",
            f"--fn-{number}",
        )


def test_a_function_keeps_its_colour_while_the_view_moves(open_page: Open) -> None:
    page = open_page("/timeline")
    names = [f"shop.jobs.task_{number}" for number in range(15)]
    first, moved, last = page.evaluate(
        """async ([path, names]) => {
          const { Palette } = await import(path);
          const palette = new Palette();
          const shown = (weights) => {
            palette.show(new Map(weights));
            return Object.fromEntries(weights.map(([name]) => [name, palette.of(name)]));
          };
          const view = names.map((name, place) => [name, 100 - place]);
          return [
            shown(view.slice(0, 12)),
            shown([...view.slice(2, 12), ...view.slice(12).map(([name]) => [name, 99])]),
            shown(view.slice(0, 12)),
          ];
        }""",
        [_module(page), names],
    )
    assert sorted(first.values()) == list(range(COLOURS))
    assert {name: moved[name] for name in names[2:12]} == {
        name: first[name] for name in names[2:12]
    }
    coloured = [colour for colour in moved.values() if colour != "other"]
    assert len(set(coloured)) == len(coloured) == COLOURS
    assert {name: last[name] for name in names[2:12]} == {name: first[name] for name in names[2:12]}
    assert sorted(last.values()) == list(range(COLOURS))


def test_the_legend_has_a_colour_for_each_function_in_view(open_page: Open, shown: Serving) -> None:
    for function, argument in _FUNCTIONS.items():
        shown.run(function, *argument)
    page = open_page("/timeline?span=300")
    expect(page.locator("#timeline[data-bars]")).to_have_count(1)
    for function in _FUNCTIONS:
        expect(page.locator(f'#timeline-legend [data-function="{function}"]')).to_have_count(1)
    swatches = page.locator("#timeline-legend .swatch")
    colours = [swatches.nth(place).get_attribute("data-fn") for place in range(swatches.count())]
    ones_own = [colour for colour in colours if colour != "other"]
    assert len(set(ones_own)) == len(ones_own) == min(COLOURS, len(colours))


def _module(page: Page) -> str:
    """Return the address of the module that chooses colours."""
    address = page.locator('script[src$="/timeline.js"]').get_attribute("src")
    assert address is not None
    return address.replace("timeline.js", "colours.js")


@pytest.mark.parametrize("query", ["from=nonsense", "span=wide"])
def test_a_wrong_address_keeps_the_page_and_says_what_is_wrong(shown: Serving, query: str) -> None:
    shown.run("shown.add", 1)
    markup = page_of(shown.client, f"/timeline?{query}&pool=cpu", 422)
    value = query.partition("=")[2]
    assert f'"{value}" is no' in text_of(markup)
    assert 'id="timeline-form"' in markup
    assert 'data-live="true"' in markup
    assert "The last minute is shown." in text_of(markup)


@pytest.fixture
def running(shown: Serving, flag: Path) -> Iterator[str]:
    """Run a task that holds a process until the test ends."""
    task_id = submitted(shown, "shown.hold", str(flag))
    yield task_id
    flag.touch()
    shown.client.get(f"/api/v1/tasks/{task_id}", params={"wait": 30})


def test_a_run_appears_on_an_open_page_and_ends_there(
    open_page: Open, shown: Serving, flag: Path
) -> None:
    page = open_page("/timeline?span=20")
    expect_live(page)
    loaded = page.evaluate("performance.timeOrigin")
    task_id = submitted(shown, "shown.hold", str(flag))
    row = page.locator("#timeline-longest tr", has=page.locator(f'a[href="/tasks/{task_id}"]'))
    expect(row.locator(".state")).to_have_text("running")
    expect(page.locator('#timeline-legend [data-function="shown.hold"]')).to_be_visible()
    flag.touch()
    expect(row.locator(".state")).to_have_text("succeeded")
    assert page.evaluate("performance.timeOrigin") == loaded


def test_a_bar_tells_of_its_run_and_leads_to_its_task(open_page: Open, running: str) -> None:
    page = open_page("/timeline?span=10")
    expect(page.locator("#timeline-longest")).to_contain_text("shown.hold")
    place = find_bar(page, "shown.hold")
    expect(page.locator("#timeline-card")).to_contain_text(running)
    expect(page.locator("#timeline-card dl")).to_contain_text("running")
    page.mouse.click(*place)
    expect(page).to_have_url(re.compile(rf"/tasks/{running}$"))


def expect_drawn(page: Page) -> None:
    """Wait until the picture holds bars: the table is there before it."""
    expect(page.locator("#timeline")).to_have_attribute("data-bars", re.compile(r"[1-9]"))


def find_bar(page: Page, words: str) -> tuple[float, float]:
    """Move the pointer down along the present until a bar's card says `words`."""
    box = page.locator("#timeline").bounding_box()
    assert box is not None
    card = page.locator("#timeline-card")
    for _round in range(40):
        for down in range(30, int(box["height"]), 6):
            place = (box["x"] + box["width"] - 4, box["y"] + down)
            page.mouse.move(*place)
            if card.is_visible() and words in card.inner_text():
                return place
    raise AssertionError("there is no such bar")


def test_keys_go_from_run_to_run_and_are_answered_in_words(open_page: Open, running: str) -> None:
    page = open_page("/timeline?span=10&function=shown.hold")
    expect_drawn(page)
    page.locator("#timeline").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#timeline-said")).to_contain_text("shown.hold, running")
    expect(page.locator("#timeline-live")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/tasks/{running}$"))


def test_the_address_tells_what_is_in_view(open_page: Open, shown: Serving) -> None:
    shown.run("shown.add", 5)
    page = open_page("/timeline")
    expect(page.locator("#timeline-longest")).to_contain_text("shown.add")
    page.get_by_role("button", name="Zoom in").click()
    expect(page).to_have_url(re.compile(r"\?span=30$"))
    page.get_by_role("button", name="Live").click()
    expect(page).to_have_url(re.compile(r"span=30&from=20"))
    box = page.locator("#timeline").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 100)
    page.mouse.wheel(0, -300)
    expect(page).not_to_have_url(re.compile(r"span=30&"))
    page.locator("#timeline").focus()
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("-")
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
    shown_range = page.locator("#timeline-range").inner_text()
    copied = open_page(page.evaluate("location.pathname + location.search"))
    expect(copied.locator("#timeline-range")).to_have_text(shown_range)
    task = shown.run("shown.nap", 0.5)["id"]
    still = open_page("/timeline?span=600&function=shown.nap", java_script_enabled=False)
    expect(still.locator(f'#timeline-longest a[href="/tasks/{task}"]')).to_be_visible()
    expect(still.get_by_role("link", name="Earlier")).to_be_visible()


@LOOKS
@pytest.mark.usefixtures("running")
def test_the_timeline_is_accessible_and_fits(
    open_page: Open, shown: Serving, look: dict[str, Any]
) -> None:
    shown.run("shown.fail", "timeline")
    page = open_page("/timeline", **look)
    expect_live(page)
    expect_drawn(page)
    expect(page.locator('#timeline-legend [data-function="shown.hold"]')).to_be_visible()
    page.locator("#timeline").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#timeline-card")).to_be_visible()
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_fields_follow_the_view_so_that_the_button_shows_what_is_seen(open_page: Open) -> None:
    page = open_page("/timeline?span=60", viewport={"width": 1200, "height": 900})
    expect_live(page)
    canvas = page.locator("#timeline")
    expect(canvas).to_have_attribute("data-bars", re.compile(r"\d+"))
    page.get_by_role("button", name="Earlier").click()
    page.get_by_role("button", name="Zoom in").click()
    period = page.get_by_label("Period")
    expect(period).to_have_value("30")
    expect(period.locator("option:checked")).to_have_text("30 s")
    since = page.locator('[name="from"]')
    expect(since).not_to_have_value("")
    seen = page.locator("#timeline-range").text_content() or ""
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"span=30&from="))
    expect(page.locator("#timeline-range")).to_have_text(seen)


def test_the_legend_says_what_is_so_in_both_themes(open_page: Open) -> None:
    page = open_page("/timeline", color_scheme="dark")
    expect(page.locator("#timeline-keys")).to_contain_text("What is blank is idle")
