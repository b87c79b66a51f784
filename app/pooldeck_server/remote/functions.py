"""Functions that can be called, and what measurements say of them."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from pooldeck.needs import in_words
from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.command_line.output import Output
from pooldeck_server.remote import completion
from pooldeck_server.remote.command import remote
from pooldeck_server.remote.formats import duration, moment
from pooldeck_server.remote.naming import FunctionName
from pooldeck_server.remote.server import RemoteServer

_HEAD: Final = ("function", "pool", ">runs", ">failed", ">mean", "what it does")

_HELD: Final = {"crashes": "on hold", "hand": "on hold", "pause": "paused"}

NO_FUNCTION: Final = (
    "no function can be called yet: mark one with @task and name its module by "
    "`pooldeck serve --functions MODULE`"
)


@remote
def functions(server: RemoteServer, output: Output) -> None:
    """List the functions that can be called, and the modules that could not be loaded.

    Runs, failures and the mean time are of the last hour.
    """
    found = server.get("/functions")
    if output.is_json:
        output.json(found)
        return
    if found["items"]:
        output.table(_HEAD, [_row(each) for each in found["items"]])
    elif not (found["failed_modules"] or found["empty_modules"]):
        output.line(NO_FUNCTION)
    for module in found["failed_modules"]:
        words = f"{module['type']}: {module['message']}"
        output.note(f"pooldeck: the module {module['module']} could not be loaded: {words}")
    for name in found["empty_modules"]:
        output.note(f"pooldeck: the module {name} registers no function")


def _row(function: dict[str, Any]) -> tuple[str, ...]:
    statistics = function["statistics"]
    ended = statistics["ended"]
    words = function["problem"] or function["doc"]
    return (
        function["name"],
        function["pool"],
        str(sum(ended.values())),
        str(ended.get("failed", 0) + ended.get("lost", 0)),
        duration(statistics["mean_run"]),
        _HELD[function["hold"]["kind"]] if function["hold"] else words.partition("\n")[0],
    )


@remote
def function(server: RemoteServer, output: Output, *, function_name: FunctionName) -> None:
    """Show a function: its signature, where it runs and why, its options and what it does."""
    found = server.get(f"/functions/{server.part(function_name)}")
    if output.is_json:
        output.json(found)
        return
    output.line(f"{found['name']}{found['signature']}")
    if found["doc"]:
        output.line()
        output.line(found["doc"].rstrip())
    output.line()
    output.facts(_facts(found))


def _facts(function: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    options, hold, statistics = function["options"], function["hold"], function["statistics"]
    yield "pool", function["pool"]
    yield "why there", function["placement"]["words"] if function["placement"] else None
    yield "problem", function["problem"]
    if hold:
        by = f" by {hold['by']}" if hold["by"] else ""
        because = f": {hold['reason']}" if hold["reason"] else ""
        yield f"{_HELD[hold['kind']]} since", f"{moment(hold['since'])}{by}{because}"
    yield "timeout", duration(options["timeout"]) if options["timeout"] else None
    yield "retries", str(options["retries"])
    yield "needs", in_words(options["needs"]) or None
    yield "idempotent", "yes" if options["idempotent"] else "no"
    for state, number in statistics["counts"].items():
        yield state, f"{number:,}"
    yield "mean time", duration(statistics["mean_run"]) if statistics["mean_run"] else None


@remote
def advice(
    server: RemoteServer,
    output: Output,
    *,
    function_name: Annotated[
        str | None,
        typer.Argument(
            metavar="[FUNCTION]", help="of one function", autocompletion=completion.functions
        ),
    ] = None,
) -> None:
    """Say which functions would do better in another pool, and which pools have the wrong size.

    Of one function, it says what its measurements mean, whether it is misplaced or not.
    """
    if function_name is not None:
        found = server.get(f"/functions/{server.part(function_name)}/advice")
        given = [found]
    else:
        found = server.get("/advice")
        given = [*found["functions"], *found["pools"]]
    if output.is_json:
        output.json(found)
        return
    if not given:
        output.line("nothing to advise: each function and pool is as it should be, or not measured")
    for number, each in enumerate(given):
        _print(output, each, is_first=number == 0)


def _print(output: Output, each: dict[str, Any], *, is_first: bool) -> None:
    if not is_first:
        output.line()
    name = each.get("function") or f"the pool {each['pool']}"
    output.line(f"{name}: {each['verdict'].replace('_', ' ')}")
    for sentence in (*each["sentences"], *(risk["words"] for risk in each.get("risks") or ())):
        output.line(f"  {sentence}")


def check_function(server: RemoteServer, name: str) -> None:
    """Raise a complaint if there is no such function, or if it cannot be called now."""
    found = server.get(f"/functions/{server.part(name)}")
    if found["problem"]:
        raise Complaint(f"{name} cannot be called: {found['problem']}")
