"""Through Apprise to a service: one that a test can stand in for."""

from pathlib import Path

import pytest

from pooldeck_server.domain.alerts.deliveries import DeliveryState, DestinationKind
from pooldeck_server.domain.alerts.rules import AlertRule
from pooldeck_server.domain.errors import Conflict, InvalidRequest
from pooldeck_server.runtime.alerts.services import check_service
from tests.pooldeck_server.runtime.alerts.test_sender import telling
from tests.support.receiver import receiving

pytest.importorskip("apprise")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what it imports


async def test_an_alert_goes_through_apprise_in_words_and_is_tried_again(tmp_path: Path) -> None:
    with receiving() as receiver:
        async with telling(tmp_path) as told:
            url = f"ntfy://127.0.0.1:{receiver.port}/topic-of-ours"
            added, secret = await told.alerts.add("phone", DestinationKind.APPRISE, url)
            assert (secret, added.shown_url) == (None, "ntfy://…")
            receiver.status, receiver.body = 500, b"{}"
            await told.happen(AlertRule.WORKER_DIED, "jobs.die in pool cpu")
            await told.pass_by()
            assert (await told.only()).state is DeliveryState.WAITING
            receiver.status = 200
            await told.pass_by(10)
            assert (await told.only()).state is DeliveryState.DELIVERED
            with pytest.raises(Conflict):
                await told.alerts.rotate(added.id)
        said = receiver.got[-1].body
        assert b"Worker died" in said
        assert b"jobs.die in pool cpu" in said


@pytest.mark.parametrize("url", ["nothing://x", "slack://", "syslog://", "json://example.com/"])
def test_what_apprise_does_not_know_or_must_not_do_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest):
        check_service(url)
