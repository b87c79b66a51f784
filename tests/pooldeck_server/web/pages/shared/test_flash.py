"""What pages say of what somebody has just done there."""

import re
import uuid
from collections.abc import Mapping
from typing import get_args

import pytest
from starlette.datastructures import QueryParams

from pooldeck.kinds import Ending
from pooldeck_server.domain.tasks.submission import BulkDone, CancelOutcome
from pooldeck_server.web.pages.errors import view as errors
from pooldeck_server.web.pages.experiments import view as experiments
from pooldeck_server.web.pages.functions import listing as functions
from pooldeck_server.web.pages.functions import view as function
from pooldeck_server.web.pages.pipelines import view as pipeline
from pooldeck_server.web.pages.pools import view as pools
from pooldeck_server.web.pages.shared.address import address
from pooldeck_server.web.pages.shared.flash import flash, flash_of_many, numbers
from pooldeck_server.web.pages.task import view as task
from pooldeck_server.web.pages.tasks import view as tasks
from pooldeck_server.web.text.i18n import speaking
from tests.support.served import Served

FLASH = re.compile(r'<p class="flash" role="status">([^<]*)</p>')
SCREENS = (errors, experiments, function, functions, pipeline, pools, task)


def test_only_known_words_of_an_address_are_said() -> None:
    assert flash(QueryParams("did=retried"), task.FLASHES) == task.FLASHES["retried"]
    assert flash(QueryParams("did=anything"), task.FLASHES) is None
    assert flash(QueryParams(""), task.FLASHES) is None


@pytest.mark.parametrize("flashes", [screen.FLASHES for screen in SCREENS])
def test_whatever_was_done_is_said_in_the_language_of_the_reader(
    flashes: Mapping[str, str],
) -> None:
    with speaking("zh-Hans"):
        said = {did: flash(QueryParams({"did": did}), flashes) for did in flashes}
    assert [did for did, words in said.items() if not words or words == flashes[did]] == []


def test_there_are_words_for_whatever_cancelling_does() -> None:
    outcomes = set(get_args(CancelOutcome))
    assert outcomes | {"retried"} == tasks.FLASHES.keys()
    assert (outcomes - {"killed"}) | set(Ending) | {"retried"} == task.FLASHES.keys()


def test_what_became_of_many_is_said_by_number() -> None:
    done = BulkDone(1350, {"retried": 1344, "arguments_erased": 6})
    query = QueryParams(address("", numbers(done))[1:])
    said = flash_of_many(query, tasks.FLASHES)
    assert said is not None
    assert said.startswith("1,344 queued again, 6 refused (")
    assert "arguments have been erased" in said


def test_a_change_of_nothing_is_said_too() -> None:
    for parameters in ("did=many", "did=many&killed=lots&x=3"):
        said = flash_of_many(QueryParams(parameters), tasks.FLASHES)
        assert said == "No task was changed."
    assert flash_of_many(QueryParams("killed=3"), tasks.FLASHES) is None


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
