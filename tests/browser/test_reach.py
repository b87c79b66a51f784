"""Every page of a server with a hard life: all of it can be reached and read, at every width."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.hard_life import HardLife, hard_life
from tests.browser.looking import barriers, watch
from tests.browser.reaching import WIDTHS, foreign_words, out_of_reach

_LOCALES: Final = {"en": "en-US", "zh-Hans": "zh-CN"}
_READ_AT: Final = (320, 1024)  # widths that axe looks at, in `make test-all`
# The first two are what `make test` looks at: each language and theme once, axe on a phone.
_VIEWS: Final = (
    pytest.param("en", "dark", (320,), id="english-dark"),
    pytest.param("zh-Hans", "light", (), id="chinese-light"),
    pytest.param("en", "light", _READ_AT, id="english-light", marks=pytest.mark.soak),
    pytest.param("zh-Hans", "dark", _READ_AT, id="chinese-dark", marks=pytest.mark.soak),
    pytest.param("en", "dark", (1024,), id="english-dark-wide", marks=pytest.mark.soak),
)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HardLife]:
    with hard_life(tmp_path_factory.mktemp("hard")) as lived:
        yield lived


def _context(browser: Browser, life: HardLife, language: str, theme: str) -> BrowserContext:
    return browser.new_context(
        base_url=str(life.client.base_url),
        locale=_LOCALES[language],
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )


@pytest.mark.parametrize(("language", "theme", "read_at"), _VIEWS)
def test_nothing_on_any_page_is_out_of_reach(
    browser: Browser, life: HardLife, language: str, theme: str, read_at: tuple[int, ...]
) -> None:
    complaints: list[str] = []
    with _context(browser, life, language, theme) as context:
        page = context.new_page()
        watch(page, str(life.client.base_url).rstrip("/"), complaints)
        names = life.words()
        found = {
            name: problems
            for name, path in life.pages.items()
            if (problems := _problems(page, path, language, names, read_at))
        }
    assert found == {}
    assert complaints == []


def _problems(
    page: Page, path: str, language: str, names: list[str], read_at: tuple[int, ...]
) -> list[str]:
    page.goto(path)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator(".connection")).to_have_attribute("data-connection", "live")
    problems = []
    for width in WIDTHS:
        problems += [f"{width}: {each}" for each in out_of_reach(page, width)]
        if width in read_at:
            problems += [f"{width}: {each}" for each in barriers(page)]
    if language != "en":
        problems += foreign_words(page, names)
    return problems


def test_long_times_and_numbers_do_not_run_into_one_another_on_the_deck(
    browser: Browser, life: HardLife
) -> None:
    with _context(browser, life, "en", "light") as context:
        page = context.new_page()
        page.clock.install()
        page.goto("/")
        expect(page.locator(".connection")).to_have_attribute("data-connection", "live")
        late = page.locator(".slot[data-late] [data-field=elapsed]").first
        expect(late).to_be_visible()
        page.route("**/api/v1/events*", lambda route: route.abort())
        page.clock.fast_forward(3_599_000)
        expect(late).to_contain_text("min")
        for width in (320, 360, 768, 1024, 1280, 1440):
            assert out_of_reach(page, width) == [], width


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
    }
    assert foreign == ["p.: 池 is broken", "p.: 完成.", "title: Kill it"]


_BROKEN: Final = """<!doctype html><html lang="zh-Hans"><body>
<div style="width:60px;overflow:hidden;white-space:nowrap"><span>没有省略号的很长的文字</span></div>
<div style="position:relative;height:3em"><span style="position:absolute">甲甲甲甲</span>
<span style="position:absolute;left:10px">乙乙乙乙</span></div>
<div style="width:600px;text-align:right">在页面之外</div>
<div style="overflow-x:auto;scrollbar-width:none;width:60px;white-space:nowrap">
没有滚动条的很长的文字</div>
<p>池 is broken</p><p>完成.</p><p title="Kill it">acme.jobs 在 CPU 上</p><p lang="en">English</p>
</body></html>"""
