"""What pages say of what somebody has just done there."""

import re
import uuid
from collections.abc import Mapping
from typing import get_args

import pytest
from starlette.datastructures import QueryParams

from pooldeck.kinds import Ending
from pooldeck_server.domain.retention import WhyKept
from pooldeck_server.domain.tasks.submission import BulkDone, CancelOutcome
from pooldeck_server.web.pages.shared.address import address
from pooldeck_server.web.pages.shared.flash import FLASHES, flash, flash_of_many, numbers
from pooldeck_server.web.text.i18n import speaking
from tests.support.served import Served

FLASH = re.compile(r'<p class="flash" role="status">([^<]*)</p>')


def test_only_known_words_of_an_address_are_said() -> None:
    assert flash(QueryParams("did=retried"), FLASHES["task"]) == FLASHES["task"]["retried"]
    assert flash(QueryParams("did=anything"), FLASHES["task"]) is None
    assert flash(QueryParams(""), FLASHES["task"]) is None


@pytest.mark.parametrize(
    "flashes", [words for screen, words in FLASHES.items() if screen != "tasks"]
)
def test_whatever_was_done_is_said_in_the_language_of_the_reader(
    flashes: Mapping[str, str],
) -> None:
    with speaking("zh-Hans"):
        said = {did: flash(QueryParams({"did": did}), flashes) for did in flashes}
    assert [did for did, words in said.items() if not words or words == flashes[did]] == []


def test_there_are_words_for_whatever_can_be_done_to_tasks() -> None:
    outcomes = set(get_args(CancelOutcome))
    deleting = {"deleted", *get_args(WhyKept)}
    assert outcomes | deleting | {"retried"} == FLASHES["tasks"].keys()
    of_one = {"retried", "is_kept", "let_go", "edited", "not_edited", "run_now"}
    assert (outcomes - {"killed"}) | set(Ending) | of_one == FLASHES["task"].keys()


def test_what_became_of_many_is_said_by_number() -> None:
    done = BulkDone(1350, {"retried": 1344, "arguments_erased": 6})
    query = QueryParams(address("", numbers(done))[1:])
    said = flash_of_many(query, FLASHES["tasks"])
    assert said is not None
    assert said.startswith("1,344 queued again, 6 refused (")
    assert "arguments have been erased" in said


def test_a_change_of_nothing_is_said_too() -> None:
    for parameters in ("did=many", "did=many&killed=lots&x=3"):
        said = flash_of_many(QueryParams(parameters), FLASHES["tasks"])
        assert said == "No task was changed."
    assert flash_of_many(QueryParams("killed=3"), FLASHES["tasks"]) is None


def test_what_became_of_many_is_said_in_the_language_of_the_reader(server: Served) -> None:
    waiting = [server.submit("echo", n, wait=0, delay=3600).json()["id"] for n in range(2)]
    ended = server.submit("echo", 1).json()["id"]
    form = {"id": [*waiting, ended, str(uuid.uuid4())], "back": "/tasks"}
    in_chinese = {"accept-language": "zh"}

    page = server.http.post("/tasks/cancel", data=form, headers=in_chinese, follow_redirects=True)

    (said,) = FLASH.findall(page.text)
    assert said.startswith("2 个已取消")
    assert re.findall("[0-9]", said) == ["2", "1", "1"]
    assert re.findall("[A-Za-z]+", said) == []
