"""ID tokens by each algorithm that is allowed, and by others."""

from typing import Any

import pytest
from joserfc.jwk import ECKey, Key, OKPKey

from pooldeck_server.domain.logins import LoginFailed
from pooldeck_server.runtime.access.oidc.id_token import Expected, SignedToken
from tests.support.provider import Claims, rsa_key, signed

NOW = 1_700_000_000
CLAIMS: Claims = {
    "iss": "https://a",
    "aud": "deck",
    "sub": "1",
    "nonce": "n",
    "iat": NOW,
    "exp": NOW + 60,
}
EXPECTED = Expected(
    issuer="https://a", client_id="deck", nonce="n", begun_at=NOW, now=NOW, access_token="t"
)
KEYS: dict[str, Key] = {
    "RS256": rsa_key("first"),
    "ES256": ECKey.generate_key("P-256"),
    "Ed25519": OKPKey.generate_key("Ed25519"),
}


@pytest.mark.parametrize("algorithm", KEYS)
def test_each_algorithm_holds_with_its_own_key_only(algorithm: str) -> None:
    token = SignedToken(signed(CLAIMS, KEYS[algorithm], alg=algorithm))
    assert token.claims(KEYS[algorithm], EXPECTED)["sub"] == "1"
    for other in KEYS.keys() - {algorithm}:
        with pytest.raises(LoginFailed):
            token.claims(KEYS[other], EXPECTED)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_the_earlier_name_of_an_algorithm_holds_too() -> None:
    token = SignedToken(signed(CLAIMS, KEYS["Ed25519"], alg="EdDSA"))
    assert token.claims(KEYS["Ed25519"], EXPECTED)["sub"] == "1"


@pytest.mark.parametrize("algorithm", ["RS384", "PS256"])
def test_other_algorithms_are_refused_before_a_key_is_asked_for(algorithm: str) -> None:
    with pytest.raises(LoginFailed, match="not allowed"):
        SignedToken(signed(CLAIMS, alg=algorithm))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"exp": NOW - 61}, "ended"),
        ({"iat": NOW + 61}, "begins in"),
        ({"iat": NOW - 61}, "before the login began"),
        ({"exp": True}, "no exp"),
        ({"exp": 1e300}, None),
        ({"exp": NOW - 59, "iat": NOW - 59}, None),
        ({"aud": ["deck"]}, None),
        ({"aud": [["deck"], {"deck": 1}]}, "another client"),
        ({"azp": "other"}, "azp"),
        ({"nonce": "ñ\ud800"}, "nonce"),
    ],
)
def test_each_claim_is_looked_at(change: dict[str, Any], why: str | None) -> None:
    token = SignedToken(signed(CLAIMS | change))
    if why is None:
        assert token.claims(rsa_key("first"), EXPECTED)
        return
    with pytest.raises(LoginFailed, match=f"{why}|does not hold"):
        token.claims(rsa_key("first"), EXPECTED)
