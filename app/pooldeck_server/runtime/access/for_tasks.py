"""What tasks are told, so that they can submit others: where the server is, and their token."""

from collections.abc import Mapping

from pooldeck.inherited import TOKEN, URL
from pooldeck_server.domain.access import TASKS
from pooldeck_server.runtime.access.tokens import Tokens
from pooldeck_server.settings import Settings


def told_to_tasks(
    settings: Settings, address: str | None, tokens: Tokens, environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables for the environment of workers.

    They are none where the operator does not want it, or has named another server: a token goes to
    no other than its own.

    Args:
        settings: Those of the server.
        address: Where it is reached from this machine, if it is.
        tokens: What makes one that is good until the server ends.
        environment: The server's own, which workers inherit.
    """
    named = environment.get(URL, "").rstrip("/")
    if not settings.tasks_may_submit or address is None or named not in {"", address}:
        return {}
    return {URL: address, TOKEN: tokens.make_for_run(TASKS)}
