"""A provider of OpenID Connect that keeps to the rules, or breaks one of them when told to."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from joserfc import jws
from joserfc.jwk import RSAKey

Claims = dict[str, Any]
Answer = tuple[int, Mapping[str, str], bytes]

CLIENT = "deck client"  # with a space: ids and secrets are encoded before they are sent
SECRET = "a+secret/of the client"


@cache
def rsa_key(kid: str) -> RSAKey:
    """Return a key of its own for each id."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


def signed(claims: Claims, key: Any = None, **head: Any) -> str:
    """Return a token; by RS256 and the first key unless told otherwise."""
    head = {"alg": "RS256", "kid": "first"} | head
    registry = jws.JWSRegistry(algorithms=[head["alg"]], strict_check_header=False)
    payload = json.dumps(claims)
    return jws.serialize_compact(head, payload, key or rsa_key("first"), registry=registry)


def forged(claims: Claims, secret: bytes = b"", **head: Any) -> str:
    """Return a token with no signature, or one by HMAC with any secret."""
    said = ".".join(_text(json.dumps(part).encode()) for part in (head, claims))
    mac = hmac.digest(secret, said.encode(), "sha256") if secret else b""
    return f"{said}.{_text(mac)}"


def half_hash(token: str) -> str:
    """Return what an ID token says of an access token."""
    digest = hashlib.sha256(token.encode()).digest()
    return _text(digest[:16])


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Provider:
    """What it says and does; each test changes what it is about, `reset` makes it good again."""

    issuer: str
    person: Claims = field(default_factory=dict)  # what it says of who logs in
    claims: Callable[[Claims], Claims] = dict  # of the ID token, from what they should be
    sign: Callable[[Claims], str] = signed
    userinfo: Claims = field(default_factory=dict)
    keys: list[Claims] = field(default_factory=list)
    answers: dict[str, Callable[[], Answer]] = field(default_factory=dict)  # instead, by path
    asked: list[str] = field(default_factory=list)  # the paths
    forms: list[dict[str, str]] = field(default_factory=list)  # what the token endpoint was sent
    metadata: Claims = field(default_factory=dict)  # beside the usual
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Be good again."""
        self.person = {"sub": "1234", "preferred_username": "ada", "groups": ["deck-operators"]}
        self.claims, self.sign, self.userinfo = dict, signed, {}
        self.keys = [rsa_key("first").as_dict(private=False)]
        self.answers, self.asked, self.forms, self.metadata = {}, [], [], {}

    def allow(self, asked: Mapping[str, str]) -> str:
        """Let the person in; return the address that the browser is sent back to."""
        code = secrets.token_urlsafe(8)
        self.codes[code] = dict(asked)
        said = {"code": code, "state": asked["state"]}
        return f"{asked['redirect_uri']}?{urlencode(said)}"

    def answer(self, method: str, path: str, body: str, authorization: str) -> Answer:
        """Answer one request of the server."""
        self.asked.append(path)
        if path in self.answers:
            return self.answers[path]()
        match method, path:
            case "GET", "/.well-known/openid-configuration":
                return _json(self._described())
            case "GET", "/keys":
                return _json({"keys": self.keys})
            case "POST", "/token":
                return self._token(dict(parse_qsl(body)), authorization)
            case "GET", "/userinfo" if authorization.startswith("Bearer "):
                return _json(self.userinfo)
        return _json({"error": "invalid_request"}, 400)

    def _described(self) -> Claims:
        usual = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
        }
        return usual | self.metadata

    def _token(self, form: dict[str, str], authorization: str) -> Answer:
        self.forms.append(form)
        shown = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":")
        if [unquote(each) for each in shown] != [CLIENT, SECRET]:
            return _json({"error": "invalid_client"}, 401)
        asked = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = _text(digest)
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            return _json({"error": "invalid_grant"}, 400)
        access_token, now = secrets.token_urlsafe(8), int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            "at_hash": half_hash(access_token),
        } | self.person
        return _json(
            {
                "access_token": access_token,
                "token_type": "Bearer",
                "id_token": self.sign(self.claims(claims)),
            }
        )


def _json(said: Claims, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(said).encode()


@contextmanager
def provider() -> Iterator[Provider]:
    """Run one on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def _answer(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            path = urlsplit(self.path).path
            authorization = self.headers.get("authorization", "")
            status, headers, content = running.answer(method, path, body, authorization)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        running = Provider(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()
