"""A client that keeps a ledger, and is never satisfied with an answer that breaks the contract."""

import secrets
from typing import Any, Self

import httpx
from httpx import Response

from tests.faults.deployment import BOUND, FAULTS, Deployment
from tests.faults.ledger import Entry, Ledger
from tests.support.no_tls import NO_TLS

_PROBLEM = "application/problem+json"
_TRY_AGAIN = {500, 503, 507}


class Client:
    """Talks to whatever server runs on a deployment. One per thread; they may share a ledger."""

    def __init__(self, deployment: Deployment, ledger: Ledger | None = None) -> None:
        self.ledger = ledger or Ledger(deployment.folder / "ledger")
        self._deployment = deployment
        self._settled = 0  # how many entries of the ledger
        self._http = httpx.Client(timeout=BOUND + 30, trust_env=False, verify=NO_TLS)

    # Submitting.

    def submit(self, function: str, *args: object, wait: int = 0, **fields: object) -> Any:
        """Submit a task under a key of its own, and return it."""
        answer = self.send(self.intend(function, *args, **fields), wait)
        assert answer.status_code in {200, 202}, answer.text
        return answer.json()

    def intend(self, function: str, *args: object, **fields: object) -> Entry:
        """Note a submission that is about to be sent."""
        body = {"function": f"{FAULTS}.{function}", "args": args, **fields}
        return self.ledger.intend(secrets.token_hex(8), body)

    def send(self, entry: Entry, wait: int = 0) -> Response:
        """Send a submission, and note the answer.

        Raises:
            httpx.TransportError: If none comes.
        """
        answer = self.call(
            "POST", f"/tasks?wait={wait}", headers={"Idempotency-Key": entry.key}, json=entry.body
        )
        if answer.status_code in {200, 202}:
            self.ledger.acknowledge(entry, answer.json()["id"])
        elif answer.status_code not in _TRY_AGAIN:
            self.ledger.refuse(entry, answer.json()["code"])
        return answer

    def settle(self) -> None:
        """Send again what was sent since the last time: for an answer, or for the same one."""
        entries = self.ledger.entries
        fresh, self._settled = entries[self._settled :], len(entries)
        for entry in fresh:
            if entry.refusal is None:
                self.send(entry)
                assert not entry.is_open, f"{entry} is neither taken nor refused"

    # Everything else.

    def call(self, method: str, path: str, **options: Any) -> Response:
        """Make a call of the API; a refusal has to be a problem with a code and no stack trace.

        Raises:
            httpx.TransportError: If no answer comes.
        """
        answer = self._http.request(method, f"{self._deployment.url}/api/v1{path}", **options)
        if answer.is_error:
            self.ledger.complaints.extend(_complaints(answer, f"{method} {path}"))
        return answer

    def do(self, path: str, **body: object) -> Any:
        """Make a call that changes something, and return what it says."""
        answer = self.call("POST", path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def task(self, task: str, wait: int = 60) -> Any:
        """Return a task when it has ended."""
        answer = self.call("GET", f"/tasks/{task}?wait={wait}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()


def _complaints(answer: Response, call: str) -> list[str]:
    about = f"{call} answered {answer.status_code}"
    if answer.headers.get("content-type") != _PROBLEM:
        return [f"{about}, which is no problem document: {answer.text[:200]}"]
    complaints = []
    if not answer.json().get("code"):
        complaints.append(f"{about} without a code")
    if "Traceback" in answer.text:
        complaints.append(f"{about} with a stack trace")
    if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
        complaints.append(f"{about}: {answer.text}")
    return complaints
