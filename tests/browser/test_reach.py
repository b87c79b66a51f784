"""Every page of a server with a hard life: all of it can be reached and read, at every width."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from typing import Final, Literal, NamedTuple, TypeAlias

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.hard_life import PAGES, HardLife, hard_life
from tests.browser.looking import barriers, watch
from tests.browser.reaching import WIDTHS, foreign_words, out_of_reach
from tests.support.waiting import eventually

_LOCALES: Final = {"en": "en-US", "zh-Hans": "zh-CN"}


class View(NamedTuple):
    """Who looks at a page; axe reads it at the widths `read_at`."""

    language: Literal["en", "zh-Hans"]
    read_at: tuple[int, ...] = ()


# `make test` looks once at each page; axe takes seconds for each, and sees no languages.
_VIEWS: Final = (
    pytest.param(View("zh-Hans"), id="chinese"),
    pytest.param(View("en", (320, 1024)), id="english", marks=pytest.mark.soak),
)
# What axe looks for in each theme, and in the second one alone: the page is the same but for it.
_THEMES: Final[Mapping[Literal["light", "dark"], tuple[str, ...]]] = {
    "light": (),
    "dark": ("color-contrast", "link-in-text-block"),
}
_WITH_BARS: Final = ("deck", "task late", "function on hold", "pools", "experiment")
_Opened: TypeAlias = Callable[[str], Page]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HardLife]:
    with hard_life(tmp_path_factory.mktemp("hard")) as lived:
        yield lived


@pytest.fixture(scope="module")
def opened(browser: Browser, life: HardLife) -> Iterator[_Opened]:
    """Open one page for each language, which goes from address to address."""
    with ExitStack() as contexts:

        @cache
        def open_once(language: str) -> Page:
            context = browser.new_context(
                base_url=str(life.client.base_url),
                locale=_LOCALES[language],
                reduced_motion="reduce",
            )
            return contexts.enter_context(context).new_page()

        yield open_once


@pytest.fixture(scope="module")
def names(life: HardLife) -> list[str]:
    return life.words()


@pytest.mark.parametrize("place", PAGES)
@pytest.mark.parametrize("view", _VIEWS)
def test_nothing_on_a_page_is_out_of_reach(
    opened: _Opened,
    life: HardLife,
    names: list[str],
    place: str,
    view: View,
) -> None:
    page = opened(view.language)
    complaints: list[str] = []
    unwatch = watch(page, str(life.client.base_url).rstrip("/"), complaints)
    page.goto(life.path(place))
    expect(page.locator("html")).to_have_attribute("lang", view.language)
    expect(page.locator(".connection")).to_have_attribute("data-connection", "live")
    for theme, rules in _THEMES.items():
        page.emulate_media(color_scheme=theme)
        for width in WIDTHS:
            found = [*out_of_reach(page, width)]
            if width in view.read_at:
                found += map(str, barriers(page, *rules))
            complaints += [f"{theme}, {width}: {each}" for each in found]
    if view.language != "en":
        complaints += foreign_words(page, names)
    unwatch()
    assert complaints == []


@pytest.mark.parametrize("place", _WITH_BARS)
def test_bars_do_not_vanish_in_forced_colours(browser: Browser, life: HardLife, place: str) -> None:
    with browser.new_context(
        base_url=str(life.client.base_url), forced_colors="active", reduced_motion="reduce"
    ) as context:
        page = context.new_page()
        page.goto(life.path(place))
        expect(page.locator(".connection")).to_have_attribute("data-connection", "live")
        page.emulate_media(forced_colors="none")
        page.evaluate(_MARK_WHAT_IS_DRAWN)
        page.emulate_media(forced_colors="active")
        assert page.locator("[data-drawn]").count() > 0
        assert page.evaluate(_VANISHED) == []
        page.evaluate(_ADD_A_BAR)
        bar = page.locator("#a-bar")
        bar.scroll_into_view_if_needed()
        empty = bar.screenshot()
        bar.evaluate("bar => { bar.value = 1; }")
        assert bar.screenshot() != empty


# Marks what is drawn by nothing but a background, as bars are; says which of it is not seen.
_MARK_WHAT_IS_DRAWN: Final = """() => {
  const plain = "rgba(0, 0, 0, 0)";
  for (const each of document.querySelectorAll("main *, .strip *")) {
    const style = getComputedStyle(each), box = each.getBoundingClientRect();
    const isDrawn = style.backgroundColor !== plain && box.width > 2 && box.height > 2;
    if (isDrawn && !each.textContent.trim() && !each.matches("input, select, textarea, progress"))
      each.dataset.drawn = "";
  }
}"""
_ADD_A_BAR: Final = """() => {
  const bar = Object.assign(document.createElement("progress"), { id: "a-bar", max: 1, value: 0 });
  document.querySelector("main").prepend(bar);
}"""
_VANISHED: Final = """() => {
  const behind = (at) => {
    for (; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("[data-drawn]")].filter((each) => {
    const style = getComputedStyle(each);
    const hasEdge = parseFloat(style.borderTopWidth) > 0 || style.outlineStyle !== "none";
    return behind(each) === behind(each.parentElement) && !hasEdge;
  }).map((each) => each.parentElement.className + " > " + each.localName + "." + each.className);
}"""


def test_long_times_do_not_run_into_one_another_on_the_deck(
    browser: Browser, life: HardLife
) -> None:
    """Without scripts the times stay as they are written here, on the markup of the server."""
    with browser.new_context(
        base_url=str(life.client.base_url), java_script_enabled=False
    ) as context:
        page = context.new_page()
        page.goto("/")
        expect(page.locator(".slot[data-state=busy]").first).to_be_visible()
        page.evaluate(_LONG_TIMES)
        for width in (320, 360, 768, 1024, 1101, 1280, 1440, 3840):
            assert out_of_reach(page, width) == [], width


_LONG_TIMES: Final = """() => {
  const long = { elapsed: "29 min 34 s", voluntary: "12,345", involuntary: "12,345" };
  for (const name of ["wait_p95", "run_p95", "oldest_wait"]) long[name] = long.elapsed;
  for (const each of document.querySelectorAll("[data-field]"))
    if (each.dataset.field in long) each.textContent = long[each.dataset.field];
}"""


def test_no_name_on_the_timeline_is_squeezed(browser: Browser, life: HardLife) -> None:
    with browser.new_context(base_url=str(life.client.base_url)) as context:
        context.add_init_script(_NOTE_WHAT_IS_WRITTEN)
        page = context.new_page()
        page.goto("/timeline")
        expect(page.locator("#timeline[data-bars]")).to_have_count(1)
        eventually(lambda: page.evaluate("window.written.length"), "it is drawn")
        written: list[tuple[str, float, float]] = page.evaluate("window.written")
        assert [text for text, width, room in written if width > room] == []
        texts = [text for text, _width, _room in written]
        assert "process-pool-with-thirty-two-let" in texts
        assert any(re.fullmatch("…[a-z-]+-two-let-1", text) for text in texts)


_NOTE_WHAT_IS_WRITTEN: Final = """(() => {
  window.written = [];
  const write = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y, room = Infinity) {
    const most = Math.min(room, this.canvas.clientWidth);
    window.written.push([text, this.measureText(text).width, most]);
    write.call(this, text, x, y);
  };
})()"""


@pytest.mark.soak  # since it takes a minute until a run is long, unless the pages above took it
def test_what_runs_for_long_counts_in_what_its_pool_needs(opened: _Opened) -> None:
    page = opened("en")
    page.goto("/pools")
    numbers = page.locator("#size-numbers-cpu")
    numbers.get_by_text("The numbers behind the size").click()
    needed = numbers.locator("div", has_text="Slots that the load needs").locator("dd")
    expect(needed).to_have_text("2", timeout=90_000)
    expect(page.locator("#figures-cpu")).to_contain_text(re.compile(r"Busy\s*2 of 3"))


def test_what_cannot_be_reached_is_found(browser: Browser) -> None:
    """The detector finds what it is for: otherwise clean pages would say nothing."""
    with browser.new_context(viewport={"width": 400, "height": 400}) as context:
        page = context.new_page()
        page.set_content(_BROKEN)
        faults = {each.partition(":")[0] for each in out_of_reach(page, 400)}
        foreign = foreign_words(page, ["acme.jobs"])
    assert faults == {
        "cut off",
        "over one another",
        "beyond the page",
        "wider than the page",
        "scrolls and does not say so",
        "named by a bare number",
    }
    assert foreign == ["p.: 池 is broken", "p.: 完成.", "title: Kill it"]


def test_what_keeps_people_out_is_found_and_in_the_dark_its_colours(browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.set_content(_BARRED)
        in_the_light = dict(barriers(page))
        page.emulate_media(color_scheme="dark")
        in_the_dark = dict(barriers(page, *_THEMES["dark"]))
    assert in_the_light.keys() == {"image-alt", "target-size"}
    assert "nameless.png" in in_the_light["image-alt"][0]
    assert in_the_dark.keys() == {"color-contrast"}


_BARRED: Final = """<!doctype html><html lang="en"><head><title>Barred</title><style>
@media (prefers-color-scheme: dark) { p { color: #666; background: #555; } }
button { width: 12px; height: 12px; padding: 0; border: 0; }
</style></head><body><main><h1>Barred</h1><p>Dark on dark</p><img src="nameless.png">
<button aria-label="One"></button><button aria-label="Two"></button></main></body></html>"""


_BROKEN: Final = """<!doctype html><html lang="zh-Hans"><body>
<div style="width:60px;overflow:hidden;white-space:nowrap"><span>没有省略号的很长的文字</span></div>
<div style="position:relative;height:3em"><span style="position:absolute">甲甲甲甲</span>
<span style="position:absolute;left:10px">乙乙乙乙</span></div>
<div style="width:600px;text-align:right">在页面之外</div>
<div style="overflow-x:auto;scrollbar-width:none;width:60px;white-space:nowrap">
没有滚动条的很长的文字</div>
<p><a href="/tasks">40</a></p>
<p>池 is broken</p><p>完成.</p><p title="Kill it">acme.jobs 在 CPU 上</p><p lang="en">English</p>
</body></html>"""
