"""Asking a provider that is slow, huge, elsewhere or gone, and keeping what it has said."""

import gzip
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.logins import LoginFailed, Why
from pooldeck_server.runtime.access.oidc.http import MAX_BYTES, ProviderHttp
from pooldeck_server.runtime.access.oidc.keys import ANEW_SECONDS, KEPT_SECONDS, ProviderKeys
from pooldeck_server.runtime.access.oidc.metadata import FAILED_SECONDS, Discovery
from tests.support.provider import Answer, Claims, Provider, provider, rsa_key


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with provider() as issuer:
        yield issuer


@pytest.fixture
def issuer(running: Provider) -> Provider:
    running.reset()
    return running


@pytest.fixture
async def http() -> AsyncIterator[ProviderHttp]:
    client = ProviderHttp(None)
    yield client
    await client.close()


def answer(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return status, headers or {}, body


@pytest.mark.parametrize(
    "given",
    [
        answer(b" " * MAX_BYTES + b"{}"),
        answer(gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"}),
        answer(b"{}", 302, {"Location": "/keys"}),
        answer(b"{}", 500),
        answer(b"[]"),
        answer(b"[" * 100_000),
        answer(b""),
        answer(b'{"a": NaN}'),
    ],
    ids=["huge", "compressed", "redirect", "error", "list", "deep", "empty", "NaN"],
)
async def test_what_is_no_plain_small_object_is_no_answer(
    given: Answer, issuer: Provider, http: ProviderHttp
) -> None:
    issuer.answers["/x"] = lambda: given
    with pytest.raises(LoginFailed) as caught:
        await http.get(f"{issuer.issuer}/x")
    assert caught.value.why is Why.UNREACHABLE
    assert issuer.asked == ["/x"]


async def test_a_slow_answer_is_not_waited_for(issuer: Provider) -> None:
    go = threading.Event()

    def slow() -> Answer:
        go.wait(60)
        return answer(b"{}")

    issuer.answers["/slow"] = slow
    http = ProviderHttp(None, seconds=0.1)
    try:
        with pytest.raises(LoginFailed, match="not answered within"):
            await http.get(f"{issuer.issuer}/slow")
    finally:
        go.set()
        await http.close()


async def test_a_provider_that_is_not_there_is_no_traceback(http: ProviderHttp) -> None:
    with pytest.raises(LoginFailed, match="cannot be asked"):
        await http.get("http://127.0.0.1:1/x")


async def test_proxies_of_the_environment_are_not_asked(
    issuer: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    http = ProviderHttp(None)
    assert (await http.get(f"{issuer.issuer}/keys"))["keys"]
    await http.close()


@pytest.mark.parametrize(
    "lie",
    [
        {"issuer": "http://127.0.0.1:1"},
        {"authorization_endpoint": "http://provider.example/authorize"},
        {"token_endpoint": "http://provider.example/token"},
        {"token_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"userinfo_endpoint": "https://a@provider.example/"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://provider.example/\r\nx: y"},
    ],
    ids=str,
)
async def test_a_provider_that_describes_itself_wrongly_is_not_used(
    lie: Claims, issuer: Provider, http: ProviderHttp
) -> None:
    issuer.metadata = lie
    with pytest.raises(LoginFailed):
        await Discovery(issuer.issuer, http, ManualClock()).metadata()


async def test_what_a_provider_says_of_itself_is_kept_and_its_failures_only_for_a_moment(
    issuer: Provider, http: ProviderHttp
) -> None:
    clock = ManualClock()
    discovery = Discovery(issuer.issuer, http, clock)
    issuer.answers["/.well-known/openid-configuration"] = lambda: answer(b"{}", 503)
    for _ in range(3):
        with pytest.raises(LoginFailed):
            await discovery.metadata()
    assert len(issuer.asked) == 1
    del issuer.answers["/.well-known/openid-configuration"]
    clock.elapsed += FAILED_SECONDS
    for _ in range(3):
        assert (await discovery.metadata()).token == f"{issuer.issuer}/token"
    assert len(issuer.asked) == 2


async def test_a_new_key_is_found_and_unknown_ones_are_asked_for_once_in_a_while(
    issuer: Provider, http: ProviderHttp
) -> None:
    clock = ManualClock()
    keys, url = ProviderKeys(http, clock), f"{issuer.issuer}/keys"
    assert (await keys.find(url, "first")).kid == "first"
    issuer.keys.append(rsa_key("second").as_dict(private=False))
    assert (await keys.find(url, "second")).kid == "second"
    for n in range(5):
        with pytest.raises(LoginFailed, match="has not a key"):
            await keys.find(url, f"unknown{n}")
    assert len(issuer.asked) == 2
    clock.elapsed += ANEW_SECONDS + 1
    with pytest.raises(LoginFailed):
        await keys.find(url, "unknown")
    assert len(issuer.asked) == 3
    assert (await keys.find(url, "first")).kid == "first"
    assert len(issuer.asked) == 3


async def test_a_key_that_was_taken_back_counts_no_more_after_a_while(
    issuer: Provider, http: ProviderHttp
) -> None:
    clock = ManualClock()
    keys, url = ProviderKeys(http, clock), f"{issuer.issuer}/keys"
    await keys.find(url, "first")
    issuer.keys = []
    clock.elapsed += KEPT_SECONDS + 1
    with pytest.raises(LoginFailed):
        await keys.find(url, "first")


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
async def test_keys_that_no_id_token_may_be_signed_with_are_passed_over(
    issuer: Provider, http: ProviderHttp
) -> None:
    issuer.keys = [
        RSAKey.generate_key(1024, {"kid": "short"}).as_dict(private=False),
        rsa_key("private").as_dict(private=True),
        OctKey.generate_key(256, {"kid": "shared"}).as_dict(private=True),
        rsa_key("mail").as_dict(private=False) | {"use": "enc"},
        ECKey.generate_key("P-521", {"kid": "curve"}).as_dict(private=False),
        {"kty": "RSA", "kid": "broken", "n": "?", "e": []},
        {"kid": "nothing"},
        {"kty": ["RSA"], "kid": "odd"},
        ECKey.generate_key("P-256", {"kid": "good1"}).as_dict(private=False),
        OKPKey.generate_key("Ed25519", {"kid": "good2"}).as_dict(private=False),
    ]
    issuer.keys += [None, "text"]  # type: ignore[list-item]  # which no key is
    keys, url = ProviderKeys(http, ManualClock()), f"{issuer.issuer}/keys"
    names = ("short", "private", "shared", "mail", "curve", "broken", "nothing", "odd", None)
    for kid in names:
        with pytest.raises(LoginFailed, match="has not"):
            await keys.find(url, kid)
    for kid in ("good1", "good2"):
        assert (await keys.find(url, kid)).kid == kid


async def test_a_token_without_an_id_is_for_the_only_key(
    issuer: Provider, http: ProviderHttp
) -> None:
    del issuer.keys[0]["kid"]
    keys = ProviderKeys(http, ManualClock())
    assert await keys.find(f"{issuer.issuer}/keys", None)
