"""The settings: a table for each of theirs, from the JSON Schema that pydantic makes of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from bench.documents import table
from pooldeck.command_parameters import CommandParameter
from pooldeck.functions import RULES, Rule, task
from pooldeck_server.settings import OPTIONS
from pooldeck_server.settings.units import UNIT
from pooldeck_server.settings.variables import PREFIX
from tests.support.reference.words import UndescribedError, cell, entries

Schema = Mapping[str, Any]

_HEAD: Final = ["setting", "variable", "takes", "default", "unit", "meaning"]
_LIMITS: Final = ["setting", "default", "unit", "bounds"]
_DEFAULT: Final = "Default: "
_ONE: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
}
_MANY: Final = {"string": "texts", "integer": "whole numbers", "number": "numbers"}
_NUMBERS: Final = {"integer", "number"}
_MEBIBYTE: Final = 1024 * 1024
_ELSEWHERE: Final = {  # models that are made of what others declare, and what says it there
    "CommandSettings": entries(task, "Options"),
    "ParameterSettings": entries(CommandParameter, "Attributes"),
}


@dataclass(frozen=True)
class Setting:
    """One setting: its place, what its schema says of it, and what is said of it."""

    path: tuple[str, ...]
    schema: Schema
    is_required: bool
    description: str
    rule: Rule | None = None  # of an option of `@task`

    @property
    def variable(self) -> str:
        return PREFIX + "__".join(self.path).upper()

    @property
    def meaning(self) -> str:
        return self.description.partition(_DEFAULT)[0].strip()

    @property
    def default(self) -> str:
        """Return the default in words, or as the file has it."""
        value = self.schema.get("default")
        if said := self.description.partition(_DEFAULT)[2]:
            if value is not None:
                raise ValueError(f"{self.variable} has two defaults: {said} and {value}")
            return said.removesuffix(".")
        if self.is_required:
            return "required"
        return "none" if value in (None, "", [], {}) else _value(value, self.unit)

    @property
    def takes(self) -> str:
        """Return what it may be, in words, with its bounds."""
        if self.rule is None or not self.is_number:
            return _takes(self.schema)
        return self.rule.wanted.removesuffix(", or None").removeprefix("a ")

    @property
    def is_number(self) -> bool:
        return any(kind.get("type") in _NUMBERS for kind in _kinds(self.schema))

    @property
    def unit(self) -> str | None:
        """Return what a number counts: as declared, or else as its name has it; None if unknown."""
        if not self.is_number:
            return ""
        declared = (each[UNIT] for each in (self.schema, *_kinds(self.schema)) if UNIT in each)
        return next(declared, _named_in(self.path[-1]))

    def row(self) -> tuple[str, ...]:
        option = f", `--{self.path[0]}`" if self.path[0] in OPTIONS else ""
        return (
            f"`{self.path[-1]}`",
            f"`{self.variable}`{option}",
            self.takes,
            cell(self.default),
            self.unit or "",
            cell(self.meaning),
        )

    def problems(self) -> Iterator[str]:
        name = ".".join(self.path)
        if not self.meaning:
            yield f"{name} has no words: Field(description=...)"
        if self.unit is None:
            yield f"{name} has no unit: Annotated[..., unit(...)], or a name that has it"


def sections(settings: type[BaseModel]) -> str:
    """Return a heading and a table for the settings themselves and for each table below them.

    Raises:
        UndescribedError: If a setting has no words, or one that is a number no unit.
    """
    return _Maker(settings.model_json_schema()).made()


def limits(settings: type[BaseModel], *names: str) -> str:
    """Return one table of all that the tables `names` of the settings bound."""
    found = _Maker(settings.model_json_schema()).below(names)
    return table(
        _LIMITS,
        [
            (f"`{'.'.join(each.path)}`", cell(each.default), each.unit or "", cell(each.meaning))
            for each in found
        ],
    )


class _Maker:
    """Goes through the tables of a schema, and names all that lacks words at the end."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._problems: list[str] = []

    def made(self) -> str:
        text = "\n\n".join(self._section((), self._schema, ""))
        if self._problems:
            raise UndescribedError(self._problems)
        return text

    def below(self, names: Sequence[str]) -> list[Setting]:
        """Return the settings of the tables `names` of those at the top."""
        top = self._settings((), self._schema)
        tables = [each for each in top if each.path[-1] in names]
        return [below for each in tables for below in self._settings(each.path, each.schema)]

    def _section(self, path: tuple[str, ...], model: Schema, words: str) -> Iterator[str]:
        below: list[tuple[tuple[str, ...], Schema, str]] = []
        rows = []
        for setting in self._settings(path, model):
            table_below = self._table(setting.schema)
            if table_below is not None:
                below.append((setting.path + table_below[0], table_below[1], setting.description))
            else:
                self._problems.extend(setting.problems())
                rows.append(setting.row())
        yield f"### `[{'.'.join(path)}]`" if path else "### At the top of the file"
        said = model.get("description", "")
        if not said:
            self._problems.append(f"{model['title']} has no words: its docstring")
        yield " ".join(f"{said} {words}".split())
        yield table(_HEAD, rows)
        for each in below:
            yield from self._section(*each)

    def _settings(self, path: tuple[str, ...], model: Schema) -> Iterator[Setting]:
        elsewhere = _ELSEWHERE.get(model["title"], {})
        for name, schema in model["properties"].items():
            description = schema.get("description") or elsewhere.get(name, "")
            is_required = name in model.get("required", ())
            rule = RULES.get(name) if "description" not in schema else None
            yield Setting((*path, name), self._resolved(schema), is_required, description, rule)

    def _table(self, schema: Schema) -> tuple[tuple[str, ...], Schema] | None:
        """Return the table that a setting is, or that each of its names is; None if it is none."""
        if "properties" in schema:
            return (), schema
        named = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
        if isinstance(named[0], Mapping) and "properties" in (model := self._resolved(named[0])):
            return ("NAME",), model
        return None

    def _resolved(self, schema: Schema) -> Schema:
        """Return a schema without `null`, with what it refers to in place of the reference."""
        others = {key: value for key, value in schema.items() if key not in {"$ref", "anyOf"}}
        if "$ref" in schema:
            return {**self._schema["$defs"][schema["$ref"].rpartition("/")[2]], **others}
        if "anyOf" not in schema:
            return schema
        kinds = [self._resolved(each) for each in schema["anyOf"] if each.get("type") != "null"]
        if len(kinds) > 1:
            return {**others, "anyOf": kinds}
        return {**kinds[0], **others}


def _named_in(name: str) -> str | None:
    """Return the unit in a name: its last word, or that before `per`, where that is a plural."""
    word = name.partition("_per_")[0].rpartition("_")[2]
    return "MiB" if word == "mb" else word if word.endswith("s") else None


def _kinds(schema: Schema) -> list[Schema]:
    """Return the alternatives of which one is to hold, or the schema itself where it has none."""
    return schema.get("anyOf") or [schema]


def _takes(schema: Schema) -> str:
    types = {kind.get("type") for kind in _kinds(schema)}
    narrower = {"integer"} if types >= _NUMBERS else set()
    return " or ".join(_one(kind) for kind in _kinds(schema) if kind.get("type") not in narrower)


def _one(schema: Schema) -> str:
    if "enum" in schema:
        *others, last = [f"`{choice}`" for choice in schema["enum"]]
        return f"{', '.join(others)} or {last}" if others else last
    match schema.get("type"):
        case "array":
            items = " or ".join(_MANY[kind["type"]] for kind in _kinds(schema["items"]))
            return f"list of {items}" + (", at least one" if "minItems" in schema else "")
        case "object":
            return f"table of {_MANY[_kind_of_values(schema)]}"
        case None:
            return "anything that JSON has"
        case "string" if schema.get("format") == "path":
            return "path"
    return _ONE[schema["type"]] + _bounds(schema)


def _kind_of_values(schema: Schema) -> str:
    """Return the type of a table's values, whatever its keys may be."""
    [values] = (schema.get("patternProperties") or {"": schema["additionalProperties"]}).values()
    return str(values["type"])


def _bounds(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if "exclusiveMinimum" in schema:
        return f" above {schema['exclusiveMinimum']}"
    if least is None:
        return ""
    return f", {least} to {most}" if most is not None else f" from {least}"


def _value(value: Any, unit: str | None) -> str:
    """Return a value as the file has it; many bytes in MiB or KiB too."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if unit == "bytes" and value % 1024 == 0:
        larger = f"{value // _MEBIBYTE} MiB" if value >= _MEBIBYTE else f"{value // 1024} KiB"
        return f"`{value}` ({larger})"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
