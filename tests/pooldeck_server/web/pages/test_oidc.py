"""Logging in by a provider of OpenID Connect, which may break any rule."""

import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import httpx
import pytest

from tests.support.no_tls import NO_TLS
from tests.support.provider import (
    CLIENT,
    SECRET,
    Claims,
    Provider,
    forged,
    provider,
    rsa_key,
    signed,
)
from tests.support.served import Served, served

TOKEN = "a-token-of-the-tests-long-enough"
_ADDRESSES = count(1)
GROUPS = {
    "deck-operators": "operator",
    "deck-admins": "admin",
    "acme": {"role": "viewer", "functions": ["acme.*"], "pools": ["io"]},
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory, issuer: Provider) -> Iterator[Served]:
    settings = {
        "issuer": issuer.issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "groups": GROUPS,
        "button": "Log in at Acme",
    }
    folder = tmp_path_factory.mktemp("deck")
    with served(folder, token=TOKEN, oidc=settings, trusted_proxies="127.0.0.1") as running:
        yield running


@pytest.fixture
def good(issuer: Provider) -> Provider:
    """The provider, as it should be."""
    issuer.reset()
    return issuer


def browser_of(deck: Served) -> httpx.Client:
    """Return a browser at an address of its own: of one address not many may fail."""
    here = {"X-Forwarded-For": f"203.0.113.{next(_ADDRESSES) % 256}"}
    base = f"http://127.0.0.1:{deck.port}"
    return httpx.Client(base_url=base, timeout=60, verify=NO_TLS, headers=here)


@pytest.fixture
def browser(deck: Served) -> Iterator[httpx.Client]:
    with browser_of(deck) as client:
        yield client


def begin(browser: httpx.Client, wanted: str = "/tasks") -> dict[str, str]:
    """Begin a login; return what the provider is asked."""
    away = browser.get("/login/oidc", params={"next": wanted})
    assert away.status_code == 303, away.text
    return dict(httpx.URL(away.headers["location"]).params)


def log_in(browser: httpx.Client, issuer: Provider, wanted: str = "/tasks") -> httpx.Response:
    """Go to the provider and come back."""
    return browser.get(issuer.allow(begin(browser, wanted)))


def is_in(browser: httpx.Client) -> bool:
    return browser.get("/api/v1/tasks").status_code == 200


def test_the_login_page_leads_to_the_provider_and_the_way_back_into_a_session(
    browser: httpx.Client, good: Provider
) -> None:
    page = browser.get("/login?next=/tasks").text
    assert "Log in at Acme" in page
    assert 'href="/login/oidc?next=/tasks"' in page
    assert 'name="token"' in page

    asked = begin(browser)
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["client_id"] == CLIENT
    assert asked["scope"] == "openid profile email"
    assert len(asked["state"]) >= 43
    assert not is_in(browser)

    entered = browser.get(good.allow(asked))
    assert entered.status_code == 200
    assert 'content="0;url=/tasks"' in entered.text
    assert is_in(browser)
    assert "ada#" in browser.get("/tasks").text
    assert browser.get("/tokens").status_code == 403, "an operator is no admin"


def test_the_cookies_are_out_of_reach_for_scripts_and_other_sites(
    browser: httpx.Client, good: Provider
) -> None:
    away = browser.get("/login/oidc")
    attempt = away.headers["set-cookie"].lower()
    assert "httponly" in attempt
    assert "samesite=lax" in attempt
    assert "path=/login/oidc" in attempt
    assert "max-age=600" in attempt
    assert "secure" not in attempt
    asked = dict(httpx.URL(away.headers["location"]).params)
    held = browser.get(good.allow(asked)).headers["set-cookie"].lower()
    assert "pooldeck=" in held
    assert "samesite=strict" in held


def test_behind_a_proxy_the_address_of_the_way_back_is_the_browsers(browser: httpx.Client) -> None:
    seen = {"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/deck"}
    away = browser.get("/login/oidc", headers=seen)
    asked = httpx.URL(away.headers["location"]).params
    assert (
        asked["redirect_uri"]
        == f"https://127.0.0.1:{browser.base_url.port}/deck/login/oidc/callback"
    )
    cookie = away.headers["set-cookie"].lower()
    assert "path=/deck/login/oidc;" in cookie
    assert "secure" in cookie


def test_the_provider_is_shown_the_secret_and_the_verifier_and_the_browser_neither(
    browser: httpx.Client, good: Provider
) -> None:
    entered = log_in(browser, good)
    [form] = good.forms
    assert form["grant_type"] == "authorization_code"
    assert "client_secret" not in form  # it is in the header, which the provider has checked
    for told in (entered.text, str(entered.url), str(entered.headers)):
        assert form["code_verifier"] not in told
        assert SECRET not in told


def test_a_code_that_another_login_has_got_is_worth_nothing(
    browser: httpx.Client, good: Provider, deck: Served
) -> None:
    with browser_of(deck) as thief:
        theirs = begin(thief)
        stolen = httpx.URL(good.allow(theirs)).params["code"]
    asked = begin(browser)
    answer = browser.get(f"/login/oidc/callback?code={stolen}&state={asked['state']}")
    assert answer.status_code == 403
    assert not is_in(browser)


LIES: dict[str, Callable[[Claims], Claims]] = {
    "another issuer": lambda said: said | {"iss": "http://127.0.0.1:1"},
    "an issuer with a slash": lambda said: said | {"iss": said["iss"] + "/"},
    "another audience": lambda said: said | {"aud": "another"},
    "no audience": lambda said: said | {"aud": None},
    "an audience that begins so": lambda said: said | {"aud": CLIENT + "2"},
    "two audiences and no azp": lambda said: said | {"aud": [CLIENT, "another"]},
    "another azp": lambda said: said | {"aud": [CLIENT, "another"], "azp": "another"},
    "another nonce": lambda said: said | {"nonce": "another"},
    "no nonce": lambda said: {name: said[name] for name in said if name != "nonce"},
    "an end that is past": lambda said: said | {"exp": time.time() - 300},
    "no end": lambda said: {name: said[name] for name in said if name != "exp"},
    "an end that is a text": lambda said: said | {"exp": str(said["exp"])},
    "a beginning that is to come": lambda said: said | {"nbf": time.time() + 600},
    "made in the future": lambda said: said | {"iat": time.time() + 600},
    "made long before": lambda said: said | {"iat": time.time() - 3600},
    "nobody": lambda said: said | {"sub": ""},
    "a subject that is a number": lambda said: said | {"sub": 1234},
    "another access token": lambda said: said | {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}

FORGERIES: dict[str, Callable[[Claims], str]] = {
    "alg none": lambda said: forged(said, alg="none"),
    "alg none in other letters": lambda said: forged(said, alg="nOnE", kid="first"),
    "no signature": lambda said: forged(said, alg="RS256", kid="first"),
    "HS256 with the public key": lambda said: forged(
        said, rsa_key("first").as_pem(private=False), alg="HS256", kid="first"
    ),
    "HS256 with the secret of the client": lambda said: forged(said, SECRET.encode(), alg="HS256"),
    "another key of the same id": lambda said: signed(said, rsa_key("other")),
    "a key that the token brings along": lambda said: signed(
        said, rsa_key("other"), jwk=rsa_key("other").as_dict(private=False)
    ),
    "an unknown key": lambda said: signed(said, rsa_key("other"), kid="other"),
    "an allowed key and another algorithm": lambda said: signed(said, alg="RS512"),
    "a claim changed after it was signed": lambda said: _changed(signed(said)),
    "no token": lambda _: "x",
    "five parts": lambda said: signed(said) + ".a.b",
    "a huge token": lambda said: signed(said | {"x": "x" * 100_000}),
}


def _changed(token: str) -> str:
    head, claims, signature = token.split(".")
    other = "B" if claims[10] != "B" else "C"
    return f"{head}.{claims[:10]}{other}{claims[11:]}.{signature}"


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_says(lie: str, browser: httpx.Client, good: Provider) -> None:
    good.claims = LIES[lie]
    answer = log_in(browser, good)
    assert answer.status_code == 403, answer.text
    assert "pooldeck=" not in answer.headers["set-cookie"]
    assert not is_in(browser)


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_with(forgery: str, browser: httpx.Client, good: Provider) -> None:
    good.sign = FORGERIES[forgery]
    answer = log_in(browser, good)
    assert answer.status_code == 403, answer.text
    assert "pooldeck=" not in answer.headers["set-cookie"]
    assert not is_in(browser)


def test_clocks_may_differ_a_little_and_several_audiences_need_an_azp(
    browser: httpx.Client, good: Provider
) -> None:
    good.claims = lambda said: (
        said
        | {
            "iat": said["iat"] + 30,
            "aud": ["another", CLIENT],
            "azp": CLIENT,
        }
    )
    assert log_in(browser, good).status_code == 200
    assert is_in(browser)


def test_a_wrong_clock_is_called_one(browser: httpx.Client, good: Provider) -> None:
    good.claims = lambda said: said | {"exp": said["iat"] - 200}
    assert "Two clocks differ" in log_in(browser, good).text


def test_groups_that_the_token_has_not_come_from_userinfo(
    browser: httpx.Client, good: Provider
) -> None:
    del good.person["groups"]
    good.userinfo = {"sub": "1234", "groups": ["deck-admins"]}
    assert log_in(browser, good).status_code == 200
    assert browser.get("/tokens").status_code == 200


def test_userinfo_of_another_person_lets_nobody_in(browser: httpx.Client, good: Provider) -> None:
    del good.person["groups"]
    good.userinfo = {"sub": "9999", "groups": ["deck-admins"]}
    assert log_in(browser, good).status_code == 403
    assert not is_in(browser)


def test_the_groups_of_the_token_are_not_widened_by_userinfo(
    browser: httpx.Client, good: Provider
) -> None:
    good.userinfo = {"sub": "1234", "groups": ["deck-admins"]}
    log_in(browser, good)
    assert "/userinfo" not in good.asked
    assert browser.get("/tokens").status_code == 403


@pytest.mark.parametrize(
    "groups", [["others", "<b>bold</b>"], [], "none", {"deck-admins": 1}, None]
)
def test_who_is_in_no_group_of_the_table_is_told_so_and_stays_out(
    browser: httpx.Client, good: Provider, groups: Any
) -> None:
    good.person |= {"groups": groups, "preferred_username": "eve <i>"}
    answer = log_in(browser, good)
    assert answer.status_code == 403
    assert "You have no access here" in answer.text
    assert "eve &lt;i&gt;" in answer.text
    assert "<b>bold" not in answer.text
    assert not is_in(browser)


def test_a_group_may_be_limited(browser: httpx.Client, good: Provider) -> None:
    good.person |= {"groups": ["acme"]}
    log_in(browser, good)
    assert browser.get("/api/v1/tasks").status_code == 200
    assert {pool["name"] for pool in browser.get("/api/v1/pools").json()["items"]} == {"io"}
    assert browser.get("/api/v1/incidents").status_code == 403
    refused = browser.post("/api/v1/tasks", json={"function": "web_functions.add", "args": [1, 2]})
    assert refused.status_code == 403


def test_a_login_counts_only_in_the_browser_that_began_it(
    browser: httpx.Client, good: Provider, deck: Served
) -> None:
    back = good.allow(begin(browser))
    with browser_of(deck) as other:
        answer = other.get(back)
        assert answer.status_code == 400
        assert "This login is over" in answer.text
        assert not is_in(other)
    assert good.forms == [], "a code was exchanged for who has begun nothing"
    assert browser.get(back).status_code == 200


def test_a_login_counts_once(browser: httpx.Client, good: Provider, deck: Served) -> None:
    asked = begin(browser)
    kept = dict(browser.cookies)
    back = good.allow(asked)
    assert browser.get(back).status_code == 200
    assert not any(name.startswith("pooldeck-login-") for name in browser.cookies)
    with browser_of(deck) as thief:
        held = "; ".join(f"{name}={value}" for name, value in kept.items())
        assert thief.get(good.allow(asked), headers={"cookie": held}).status_code == 400


def test_a_state_that_was_changed_does_not_count(browser: httpx.Client, good: Provider) -> None:
    asked = begin(browser)
    [name] = [name for name in browser.cookies if name.startswith("pooldeck-login-")]
    browser.cookies.set(name, browser.cookies[name][:-1] + "-", "127.0.0.1", "/login/oidc")
    assert browser.get(good.allow(asked)).status_code == 400


def test_several_tabs_log_in_at_once(browser: httpx.Client, good: Provider) -> None:
    tabs = [begin(browser, f"/tasks?tab={n}") for n in range(3)]
    for n in (1, 0, 2):
        assert f"/tasks?tab={n}" in browser.get(good.allow(tabs[n])).text
    assert is_in(browser)


def test_logins_that_nobody_finishes_do_not_fill_the_cookies(
    browser: httpx.Client, good: Provider
) -> None:
    for n in range(10):
        last = begin(browser, f"/tasks?tab={n}&" + "x" * 300)
    waiting = [name for name in browser.cookies if name.startswith("pooldeck-login-")]
    assert len(waiting) == 4
    assert browser.get(good.allow(last)).status_code == 200


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("&iss=http://127.0.0.1:1", 403),
        ("&error=access_denied", 403),
        ("&state=another", 400),
        ("&code=another", 400),
        ("&error_description=" + 5000 * "x", 400),
    ],
)
def test_a_callback_with_more_than_the_provider_sends_lets_nobody_in(
    browser: httpx.Client, good: Provider, said: str, status: int
) -> None:
    answer = browser.get(good.allow(begin(browser)) + said)
    assert answer.status_code == status
    assert not is_in(browser)
    assert good.forms == []


def test_a_callback_that_names_the_right_issuer_lets_in(
    browser: httpx.Client, good: Provider
) -> None:
    assert browser.get(good.allow(begin(browser)) + f"&iss={good.issuer}").status_code == 200


def test_a_callback_of_nothing_is_told_so(deck: Served) -> None:
    for query in ("", "?state=x", "?code=x&state=x", "?error=x"):
        assert deck.http.get(f"/login/oidc/callback{query}").status_code == 400


@pytest.mark.parametrize("answered", [(500, b"{}"), (302, b""), (200, b"[1]"), (200, b"not JSON")])
def test_a_provider_in_trouble_is_told_on_a_page(
    browser: httpx.Client, good: Provider, answered: tuple[int, bytes]
) -> None:
    status, body = answered
    good.answers["/token"] = lambda: (status, {"Location": f"{good.issuer}/userinfo"}, body)
    answer = log_in(browser, good)
    assert answer.status_code == 502
    assert "The provider does not answer" in answer.text
    assert "/userinfo" not in good.asked, "a redirect was followed"
    assert not is_in(browser)


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_the_login_never_leads_away(browser: httpx.Client, good: Provider, wanted: str) -> None:
    assert 'content="0;url=/"' in log_in(browser, good, wanted).text


def test_logging_out_ends_the_session(browser: httpx.Client, good: Provider) -> None:
    log_in(browser, good)
    held = dict(browser.cookies)
    assert browser.post("/logout").status_code == 303
    browser.cookies.update(held)
    assert not is_in(browser)


def test_tokens_still_let_in(browser: httpx.Client, deck: Served) -> None:
    sent = {"authorization": f"Bearer {TOKEN}"}
    assert deck.http.get("/api/v1/pools", headers=sent).status_code == 200
    assert browser.post("/login", data={"token": TOKEN}).status_code == 303


def test_a_page_elsewhere_may_lead_here_and_embed_nothing(deck: Served) -> None:
    led = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    for path in ("/login/oidc", "/login/oidc/callback?state=x"):
        shown = deck.http.get(path, headers=led | {"sec-fetch-dest": "document"})
        assert shown.status_code in {303, 400}
        assert deck.http.get(path, headers=led | {"sec-fetch-dest": "iframe"}).status_code == 403
