"""The form that begins an experiment: what it shows, and what was typed as a request."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Raw

from pooldeck.functions import FunctionSpec, ParameterKind
from pooldeck.kinds import KINDS
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.functions.examples import example
from pooldeck_server.domain.measurements.experiment_request import SECONDS, WARMUP
from pooldeck_server.domain.measurements.experiments import SampleCall, Sizes
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.text.kinds import kind_words

FIELDS: Final = ("source", "samples", *KINDS, "seconds", "warmup")
_APART: Final = re.compile(r"[\s,;]+")
_FEW: Final = 3  # real samples that the form is filled with


@dataclass(frozen=True)
class ExperimentForm:
    """What was typed, or stands there at first.

    `may_use_latest`: the arguments of real tasks may be run again.
    """

    values: Mapping[str, str]
    may_use_latest: bool
    usual: Sizes
    error: str | None = None
    error_field: str | None = None


@dataclass(frozen=True)
class SizesField:
    """The field for the sizes of one kind of pool."""

    name: str
    label: str
    usual: str


@dataclass(frozen=True)
class NewExperimentView(Page):
    """The form; without a `function` it asks which."""

    template = "experiments/new.html"
    section = "experiments"

    functions: Sequence[str]
    function: str | None
    form: ExperimentForm | None
    kinds: tuple[SizesField, ...]
    seconds: float = SECONDS
    warmup: float = WARMUP


def new_experiment_view(
    functions: Sequence[RegisteredFunction],
    function: RegisteredFunction | None,
    form: ExperimentForm | None,
) -> NewExperimentView:
    return NewExperimentView(
        functions=[each.spec.name for each in functions if each.problem is None],
        function=None if function is None else function.spec.name,
        form=form,
        kinds=() if form is None else tuple(_sizes_fields(form.usual)),
    )


def _sizes_fields(usual: Sizes) -> Iterator[SizesField]:
    for kind, sizes in usual.items():
        more = "" if KINDS[kind].is_alone else ", …"  # while they gain
        listed = ", ".join(map(str, sizes))
        yield SizesField(kind, kind_words(kind).title, f"{listed}{more}")


def fresh(
    function: RegisteredFunction, latest: Sequence[SampleCall], usual: Sizes
) -> ExperimentForm:
    options = function.spec.options
    may = options.idempotent and not options.sensitive and bool(latest)
    shown = () if options.sensitive else latest[:_FEW]
    values = dict.fromkeys(FIELDS, "") | {
        "source": "latest" if may else "given",
        "samples": _as_typed(shown) if shown else _example(function.spec),
    }
    return ExperimentForm(values, may, usual)


def _as_typed(samples: Sequence[SampleCall]) -> str:
    lines = (_one(Raw(each.args.encode()), Raw(each.kwargs.encode())) for each in samples)
    return "[\n  " + ",\n  ".join(lines) + "\n]"


def _one(args: Raw, kwargs: Raw) -> str:
    parts = [('"args"', args)] if bytes(args) != b"[]" else []
    parts += [('"kwargs"', kwargs)] if bytes(kwargs) != b"{}" else []
    return "{" + ", ".join(f"{name}: {bytes(value).decode()}" for name, value in parts) + "}"


def _example(spec: FunctionSpec) -> str:
    definitions = spec.schema.get("$defs", {})
    args, kwargs = [], {}
    for parameter in spec.parameters:
        if parameter.required:
            value = Raw(msgspec.json.encode(example(parameter.schema, definitions)))
        elif parameter.default is not None:
            value = Raw(parameter.default.encode())
        else:
            continue
        if parameter.kind is ParameterKind.POSITIONAL_ONLY:
            args.append(value)
        else:
            kwargs[parameter.name] = value
    return f"[{_one(Raw(msgspec.json.encode(args)), Raw(msgspec.json.encode(kwargs)))}]"


def body(function: str, values: Mapping[str, str]) -> bytes:
    """Return the body of the request that the form says.

    Raises:
        InvalidRequest: If a field cannot be read; `field` names it.
    """
    wanted: dict[str, Any] = {"function": function}
    if values.get("source") != "latest":
        wanted["samples"] = _samples(values.get("samples", ""))
    sizes = {kind: _sizes(values.get(kind, ""), kind) for kind in KINDS}
    if any(sizes.values()):
        wanted["sizes"] = {kind: numbers for kind, numbers in sizes.items() if numbers}
    for name in ("seconds", "warmup"):
        if text := values.get(name, "").strip():
            wanted[name] = _number(text, name)
    return msgspec.json.encode(wanted)


def _samples(text: str) -> Raw:
    try:
        msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest(f"samples: this is not JSON: {error}", field="/samples") from None
    return Raw(text.strip().encode())


def _sizes(text: str, kind: str) -> list[int]:
    parts = [part for part in _APART.split(text) if part]
    if not all(part.isascii() and part.isdecimal() for part in parts):
        raise InvalidRequest(f"{kind}: expected whole numbers, such as 1, 2, 4", field=f"/{kind}")
    return [int(part) for part in parts]


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidRequest(f"{name}: {text} is not a number", field=f"/{name}") from None
