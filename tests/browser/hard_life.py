"""A server with a hard life behind it, and every page that shows some of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx

from tests.browser.hard import COUNTER, LOCK, LONG_NAME
from tests.support.serving import Serving, serving
from tests.support.waiting import eventually

_LONG_POOL: Final = "process-pool-with-thirty-two-let"
_PAUSED: Final = "waits-until-somebody-has-time-it"
_CONFIG: Final = f"""
functions = ["hard"]
access = "open"
hold_after = 3

[pools.io]
kind = "thread"
size = 6

[pools.cpu]
kind = "process"
size = 3

[pools.frail]
kind = "process"
size = 1

[pools.{_LONG_POOL}]
kind = "process"
size = 1

[pools.{_PAUSED}]
kind = "thread"
size = 2
"""


class HardLife:
    """Pages of a server by their names; `words` are texts that came from outside of Pooldeck."""

    def __init__(self, server: Serving, flag: Path) -> None:
        self.server = server
        self._flag = str(flag)
        self._tasks: dict[str, str] = {}
        self._places: dict[str, str] = {}
        self._live()

    @property
    def client(self) -> httpx.Client:
        return self.server.client

    def _live(self) -> None:
        """Do what is hard to show; what takes its time goes on beside the rest."""
        self._keep("crashed", "hard.crash")
        self._keep("running", LONG_NAME, self._flag, "有限公司" * 12)
        for _ in range(3):
            self._keep("late", "hard.wait", "/")  # is there at once: what comes next is late
        self._ended("late")
        self._keep("late", "hard.wait", self._flag)
        self._keep("party", "hard.celebrate", self._flag, "🎉👩‍👩‍👧‍👦" * 20)
        self._keep("sharing", "hard.share", self._flag)
        self._keep("chinese", "报表.生成月度财务报告", "财务部" * 10)
        self._keep("arabic", "تقارير.إنشاء_التقرير_الشهري", "قسم المالية")
        self._keep("spoken", "hard.speak")
        self._keep("scheduled", "hard.patient", 1, delay=259_200, tags=["夜间", "a-tag-" * 8])
        self._post(f"/pools/{_PAUSED}", {"paused": True}, method="PATCH")
        self._keep("paused", "hard.patient", 2)
        self._keep("moved", "hard.wait", self._flag, pool=_LONG_POOL)
        self._keep("alone", "hard.order", *_ORDER, priority=5)
        failing = [
            {"function": "hard.fail", "args": [n % 12, "for some reason " * 9]} for n in range(300)
        ]
        self._post("/tasks/batch", {"tasks": failing})
        self._keep("deep", "hard.fail", 1)
        self._keep("failed", "hard.fail", 0)
        self._keep("retried", "hard.stumble", "no way through " * 20)
        self._post("/pipelines", {"name": _PIPELINE, "tasks": _STEPS})
        experiment = {"function": "hard.patient", "samples": [{"args": [1]}]}
        self._post("/experiments", experiment | {"sizes": {"thread": [1, 2]}, "seconds": 0.5})
        self._post("/tokens", {"name": "ci-" + "deploys-" * 6 + "x", "role": "operator"})
        url = "https://hooks.acme.example/" + "services/" * 12
        self._post("/alerts/destinations", {"name": _DESTINATION, "url": url})
        for ended in ("crashed", "spoken", "alone", "deep", "failed", "retried"):
            self._ended(ended)
        self._ended(self._keep("left", "hard.leave"))
        eventually(self._is_held, "a function that kills its workers is put on hold")
        self._started("running", "late", "party", "sharing", "moved")
        self._places = self._found_places()

    def path(self, page: str) -> str:
        """Return where a page of `PAGES` is."""
        return PAGES[page].format_map(self._places)

    def _found_places(self) -> dict[str, str]:
        """Return the ids that stand in the addresses of pages, by their names."""
        kinds = {"incident": "incidents", "error": "errors", "pipeline": "pipelines"}
        kinds |= {"experiment": "experiments"}
        named = {name: self._get(f"/{kind}")["items"][0]["id"] for name, kind in kinds.items()}
        return self._tasks | named | {"worker": self._get("/pools/cpu")["workers"][0]["id"]}

    def words(self) -> list[str]:
        """Return names that are no words of Pooldeck's: of functions, pools, workers and errors."""
        functions = [each["name"] for each in self._get("/functions")["items"]]
        pools = self._get("/pools")["items"]
        workers = [worker["id"] for pool in pools for worker in pool["workers"]]
        short = [name.rpartition(".")[2] for name in functions]
        errors = [each["type"] for each in self._get("/errors")["items"]]
        return [*functions, *short, *(pool["name"] for pool in pools), *workers, *errors, *_GIVEN]

    def _keep(self, name: str, function: str, *args: object, **more: Any) -> str:
        body = {"function": function, "args": args, **more}
        answer = self.client.post("/api/v1/tasks", json=body)
        assert answer.status_code == 202, answer.text
        self._tasks[name] = answer.json()["id"]
        return name

    def _is_held(self) -> bool:
        """Let another worker die, unless that is refused by now."""
        answer = self.client.post("/api/v1/tasks?wait=30", json={"function": "hard.crash"})
        return answer.status_code == HTTPStatus.TOO_MANY_REQUESTS

    def _ended(self, name: str) -> None:
        task = self.client.get(f"/api/v1/tasks/{self._tasks[name]}", params={"wait": 60}).json()
        assert task["future"] == "FINISHED", task

    def _started(self, *names: str) -> None:
        for name in names:
            eventually(partial(self._is_running, name), f"{name} runs")

    def _is_running(self, name: str) -> bool:
        return bool(self._get(f"/tasks/{self._tasks[name]}")["state"] == "running")

    def _get(self, path: str) -> dict[str, Any]:
        answer = self.client.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def _post(self, path: str, body: object, method: str = "POST") -> None:
        answer = self.client.request(method, f"/api/v1{path}", json=body)
        assert answer.is_success, answer.text


_PIPELINE: Final = "a pipeline that fails in the middle"
_DESTINATION: Final = "On call " * 6
_GIVEN: Final = (
    _PIPELINE,
    _DESTINATION.strip(),
    COUNTER.strip(),
    LOCK.strip(),
    "nowhere",
    "secret",
    "due",
    "since",
)
PAGES: Final[Mapping[str, str]] = {
    "deck": "/?period=900",
    "tasks": "/tasks",
    "tasks that match": "/tasks?state=failed&state=lost&tag=x&function=hard.fail",
    "task crashed": "/tasks/{crashed}",
    "task running": "/tasks/{running}",
    "task late": "/tasks/{late}",
    "task in Arabic": "/tasks/{arabic}",
    "task with a log": "/tasks/{spoken}",
    "task scheduled": "/tasks/{scheduled}",
    "task with arguments": "/tasks/{alone}",
    "task failed": "/tasks/{failed}",
    "task killed": "/tasks/{late}/kill",
    "task's stack": "/tasks/{late}/stack",
    "task that is changed": "/tasks/{scheduled}/edit",
    "task's attempt": "/tasks/{retried}?did=retried&attempt=1",
    "tasks retried": "/tasks/retry?state=failed",
    "tasks deleted": "/tasks/delete?state=failed",
    "timeline": "/timeline",
    "errors": "/errors",
    "error": "/errors/{error}",
    "incidents": "/incidents",
    "incident": "/incidents/{incident}",
    "functions": "/functions",
    "function": "/functions/hard.order",
    "function with a long name": f"/functions/{LONG_NAME}",
    "function on hold": "/functions/hard.crash",
    "function without a pool": "/functions/hard.stranded",
    "pools": "/pools",
    "pool drained": "/pools/cpu/drain",
    "worker's log": "/workers/{worker}/log",
    "logs": "/logs?q=hard",
    "pipelines": "/pipelines",
    "pipeline": "/pipelines/{pipeline}",
    "experiments": "/experiments",
    "experiment": "/experiments/{experiment}",
    "new experiment": "/experiments/new?function=hard.order",
    "shared state": "/shared",
    "tokens": "/tokens",
    "alerts": "/alerts",
    "actions": "/actions",
    "retention": "/retention",
    "drain": "/drain",
    "time zone": "/time-zone",
    "reference": "/docs",
    "reference of a group": "/docs/retention",
}
"""Every kind of page, by a name, with the places of what it is about."""

_ADDRESS: Final = {"street": "Unter den Linden " * 6, "number": 7}
_ORDER: Final = ("张伟" * 20, _ADDRESS, "hush", "2027-01-31T12:00:00Z", [1.5] * 40)
_FIRST: Final = "fetch-the-invoices-of-the-whole-year"
_STEPS: Final = {
    _FIRST: {"function": "hard.speak"},
    "fails": {"function": "hard.fail", "args": [0], "after": [_FIRST]},
    "many": {"function": "hard.patient", "args": [{"$item": True}], "each": [1, 2, 3]},
    "join": {"function": "hard.speak", "after": ["fails", "many"]},
}


@contextmanager
def hard_life(folder: Path) -> Iterator[HardLife]:
    """Serve hard.py and let it have its life; what still runs is let go at the end."""
    flag = folder / "go"
    (folder / "pooldeck.toml").write_text(_CONFIG)
    with serving(folder, environment={"PYTHONPATH": str(Path(__file__).parent)}) as server:
        server.wait_until_ready()
        try:
            yield HardLife(server, flag)
        finally:
            flag.touch()
