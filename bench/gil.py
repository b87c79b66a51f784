"""Whether the server still answers while its tasks do their worst to the GIL of their process."""

from bench.figures import Figure, percentile
from bench.load import Load, Plan, generate, get, post
from bench.processes import Pooldeck, pooldeck, wait_until
from bench.scale import Scale

_BURNERS = 8
_PAUSE = 0.01  # seconds between two looks
_LONGEST = 60.0  # seconds


def measure(scale: Scale) -> list[Figure]:
    """Measure `/healthz` while eight threads burn CPU and one holds the GIL in a C call."""
    with pooldeck(scale.folder / "gil") as server:
        _submit(server, "burn", scale.gil_seconds + 2, _BURNERS)
        wait_until(lambda: server.busy("io") == _BURNERS, _LONGEST)
        _submit(server, "hold_gil", scale.gil_seconds, 1)
        wait_until(lambda: _running(server, "hold_gil") == 1, _LONGEST)
        load = _look(server, 0.5 * scale.gil_seconds)  # it takes a while to begin
        if not _running(server, "hold_gil"):
            raise RuntimeError("the GIL was given back before all was measured")
    milliseconds = [1000 * seconds for seconds in load.latencies]
    return [
        Figure("/healthz under GIL abuse: median", percentile(milliseconds, 50), "ms"),
        Figure(
            "/healthz under GIL abuse: 99th percentile",
            percentile(milliseconds, 99),
            "ms",
            at_most=250,
        ),
    ]


def _look(server: Pooldeck, seconds: float) -> Load:
    count = int(seconds / _PAUSE)
    plan = Plan(server.port, [get("/healthz")], count, pause=_PAUSE, seconds=seconds)
    return generate(plan, wanted=[200])


def _submit(server: Pooldeck, function: str, seconds: int, count: int) -> None:
    body = {"function": f"bench.functions.{function}", "args": [seconds]}
    generate(Plan(server.port, [post("/api/v1/tasks", body)], count), wanted=[202])


def _running(server: Pooldeck, function: str) -> int:
    return server.record.number("running", f"bench.functions.{function}")
