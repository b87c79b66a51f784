"""The digest of a submission, which tells a repeated key from one that is used again."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from pooldeck_server.domain.tasks.dependencies import Rule
from pooldeck_server.domain.tasks.pipelines import PipelineRequest
from pooldeck_server.domain.tasks.submission import After, Submission
from pooldeck_server.runtime.tasks.idempotency import fingerprint_of

OTHER: dict[str, Any] = {
    "function": "a.c",
    "args": Raw(b"[2]"),
    "kwargs": Raw(b'{"x":1}'),
    "pool": "io",
    "priority": 1,
    "delay": 1.0,
    "run_at": datetime(2026, 11, 30, tzinfo=UTC),
    "tags": ("t",),
    "timeout": 3.0,
    "retries": 1,
    "after": (After("x"),),
    "on_failure": Rule.SKIP,
    "callback": "https://example.com/",
    "needs": {"gpu": 1.0},
}
PLAIN = Submission("a.b", Raw(b"[1]"))


def test_every_field_but_the_key_counts() -> None:
    assert OTHER.keys() == set(Submission.__struct_fields__) - {"idempotency_key"}
    digests = {fingerprint_of(replace(PLAIN, **{name: value})) for name, value in OTHER.items()}
    assert len(digests | {fingerprint_of(PLAIN)}) == len(OTHER) + 1
    assert fingerprint_of(replace(PLAIN, idempotency_key="k")) == fingerprint_of(PLAIN)


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        (b'{"function":"a.b"}', "fc66297a444095b46e95f9447cfeac6c"),
        (
            b'{"function":"a","delay":2.5,"after":["x",{"task":"y","on_failure":"skip"}]}',
            "1069fee2d9f1382fd7568bca37a673a4",
        ),
    ],
)
def test_digests_that_databases_have_from_earlier_versions_stay_true(
    body: bytes, digest: str
) -> None:
    assert fingerprint_of(msgspec.json.decode(body, type=Submission)) == digest


def test_digests_of_pipelines_know_nothing_of_a_callback_that_is_not_there() -> None:
    """They are taken of the whole body, in which earlier versions had no such field."""
    body = b'{"tasks":{"a":{"function":"a.b"}}}'
    request = msgspec.json.decode(body, type=PipelineRequest)
    assert b"callback" not in msgspec.json.encode(request)
