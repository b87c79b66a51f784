"""A version of the user's code, as one or several workers have loaded it."""

import hashlib
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Final

import msgspec
from msgspec.structs import replace

from pooldeck import commands
from pooldeck.functions import FunctionSpec
from pooldeck.loaded_code import LoadedCode, ModuleFailure
from pooldeck.text import bounded
from pooldeck_server.domain.functions.signature import Signature

_MOST_NAMED: Final = 50
_LONGEST: Final = 400  # bytes of what is said of a module


class Version:
    """Loaded code, and how it is told from other: by its files, and by all that is said of it.

    Two workers may report the same code in different words, as where a default is the time of
    the import, or a traceback names a process. They have the same `id` all the same.
    """

    def __init__(self, code: LoadedCode) -> None:
        self.code = code
        self.failures: Mapping[str, ModuleFailure] = {each.module: each for each in code.failures}
        self._words = {spec.name: _words(spec) for spec in code.functions}
        failures = sorted((each.module, said_of(each)) for each in code.failures)
        said = (sorted(code.sources.items()), failures, sorted(self._words.items()))
        self.id = hashlib.blake2b(msgspec.msgpack.encode(said), digest_size=6).hexdigest()

    def differs_from(self, other: "Version") -> bool:
        """Tell whether the other has other functions, or other text in a file that both have.

        One may have files that the other has not, as where pools have initializers of their own;
        and what is missing only since its module cannot be loaded is not other code.
        """
        missing = self.failures.keys() | other.failures.keys()
        return self.without(missing) != other.without(missing) or any(
            other.code.sources.get(path, digest) != digest
            for path, digest in self.code.sources.items()
        )

    def without(self, modules: Collection[str]) -> dict[str, bytes]:
        """Return what is said of each function that is in none of the modules."""
        return {
            spec.name: self._words[spec.name]
            for spec in self.code.functions
            if spec.module not in modules
        }

    @cached_property
    def signatures(self) -> dict[str, Signature]:
        """The functions that can be called, by name."""
        return {spec.name: Signature(spec) for spec in self.code.functions if spec.problem is None}


def differences(before: Mapping[str, FunctionSpec], after: Version) -> dict[str, list[str]]:
    """Return which functions a version has added, removed and changed in what is said of them.

    What is missing only since its module cannot be loaded is not removed. At most 50 are named of
    each.
    """
    there = {spec.name: spec for spec in after.code.functions}
    found = {
        "added": there.keys() - before.keys(),
        "removed": {
            name for name in before.keys() - there if before[name].module not in after.failures
        },
        "changed": {
            name for name in there.keys() & before if _words(there[name]) != _words(before[name])
        },
    }
    return {what: sorted(names)[:_MOST_NAMED] for what, names in found.items() if names}


def _words(spec: FunctionSpec) -> bytes:
    """Return what is said of a function, but for values that each import may make anew."""
    if spec.module == commands.MODULE:
        return msgspec.json.encode(spec, order="sorted")
    parameters = [replace(parameter, default=None) for parameter in spec.parameters]
    properties = {
        name: {key: value for key, value in schema.items() if key != "default"}
        for name, schema in spec.schema.get("properties", {}).items()
    }
    schema = {**spec.schema, "properties": properties}
    plain = replace(spec, signature="", code="", risks=(), parameters=parameters, schema=schema)
    return msgspec.json.encode(plain, order="sorted")


def said_of(failure: ModuleFailure) -> str:
    """Return what is said of a module that cannot be loaded: the first line, of bounded length."""
    error = failure.error
    return bounded(f"{error.type}: {error.message}".partition("\n")[0], _LONGEST)
