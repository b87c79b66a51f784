"""The tutorial and the page of the command line show what their commands say."""

from pathlib import Path

import pytest

from tests.support.tutorial import PAGE, PAGES, alike, steps, walk


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_commands_of_a_page_say_what_it_shows(page: Path, tmp_path: Path) -> None:
    text = page.read_text()
    said = walk(text, tmp_path)
    for step, lines in zip(steps(text), said, strict=True):
        shown = [alike(line) for line in step.shown.splitlines()]
        assert [alike(line) for line in lines] == shown, step.command


def test_the_tutorial_has_its_walk_from_the_first_start_to_an_upgrade() -> None:
    commands = "\n".join(step.command for step in steps(PAGE.read_text()))
    for part in (
        *("doctor", "serve", "token create", "actions", "alerts"),
        *("backup", "drain --stop", "restore", "restored"),
    ):
        assert part in commands
