"""A head has one reading; it loses what it offers, and nothing else."""

import pytest

from pooldeck_server.domain.errors import MalformedRequest
from pooldeck_server.web.http.protocol.head import check_head, without_upgrade


@pytest.mark.parametrize("url", [b"*", b"/", b"http://a/tasks", b"HTTPS://A?b"])
def test_what_is_asked_for_is_a_path_or_an_address_of_this_host(url: bytes) -> None:
    check_head(b"GET", url, "1.1", [(b"host", b"a")])


@pytest.mark.parametrize("url", [b"ftp://a/", b"javascript://a/", b"a:80", b"a"])
def test_other_schemes_are_not_answered(url: bytes) -> None:
    with pytest.raises(MalformedRequest):
        check_head(b"GET", url, "1.1", [(b"host", b"a")])


def test_a_head_is_as_it_was_but_for_its_offer() -> None:
    headers = [(b"host", b"a"), (b"upgrade", b"h2c"), (b"x", b""), (b"x", b"y, z")]
    head = without_upgrade(b"GET", b"/a?b", "1.1", headers)
    assert head == b"GET /a?b HTTP/1.1\r\nhost: a\r\nx: \r\nx: y, z\r\n\r\n"
