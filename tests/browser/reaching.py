"""What of a page cannot be reached or read: see reach.js and foreign.js, which look at a page."""

from pathlib import Path
from typing import Final

from playwright.sync_api import Page

WIDTHS: Final = (320, 768, 1024, 1440)
_HEIGHT: Final = 900

_HERE: Final = Path(__file__).parent
_REACH: Final = (_HERE / "reach.js").read_text()
_FOREIGN: Final = (_HERE / "foreign.js").read_text()

# What is meant to be as it is: the fault, where it is none, and why.
_MEANT: Final = (
    ("cut off", ".cell-arguments", "the row leads to the task, which shows them whole"),
    ("cut off", ".counted .arguments", "the line leads to the task, which shows them whole"),
    ("cut off", ".uplot", "it is drawn anew a moment after its room has changed"),
    ("cut off", ".log .source", "its title says it whole"),
    ("over one another", ".uplot, .chart-note", "marks stand over the lines that they mark"),
)

# Words of the trade that Chinese pages have as they are.
_TERMS: Final = """
Pooldeck CPU GIL API JSON Lines ID UTC HTTP URL CSV PID GiB MiB KiB kB ms min curl Python CLI
JavaScript Webhook webhook Apprise Slack Teams Future PENDING RUNNING FINISHED CANCELLED SIGSEGV
None null DEBUG INFO WARNING ERROR CRITICAL GET POST PUT PATCH DELETE Enter Shift English
never access open tokens ci acme state tag failed nightly admin operator viewer
"""
# Texts that come from users' code and clients, and messages that the record keeps as they came.
_DATA: Final = (
    "head > title",
    ".doc, .cell-doc, .notes > .dim, .field label > b, .signature",
    ".error-message, .error-words, .group-words, .cause-words, .attempts summary, .cell-answer",
    ".graph, .steps, .method, .reference, #reference-schemas",
    "figcaption, .progress, option, .danger, legend",
)


def out_of_reach(page: Page, width: int) -> list[str]:
    """Return what cannot be reached or read on a page that is so many pixels wide."""
    page.set_viewport_size({"width": width, "height": _HEIGHT})
    found: list[str] = page.evaluate(_REACH, [[fault, where] for fault, where, _ in _MEANT])
    return found


def foreign_words(page: Page, names: list[str]) -> list[str]:
    """Return texts of a Chinese page with Latin words that are neither data nor terms."""
    asked = {"names": names, "terms": _TERMS.split(), "data": ", ".join(_DATA)}
    found: list[str] = page.evaluate(_FOREIGN, asked)
    return found
