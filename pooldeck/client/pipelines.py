"""Pipelines built of functions: a step stands for its result in the arguments of others."""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from pooldeck.client.arguments import References, encode_call
from pooldeck.client.asking import Question
from pooldeck.client.future import RemoteFuture
from pooldeck.client.http import KEY
from pooldeck.client.names import name_of
from pooldeck.client.submit_options import NO_OPTIONS, SubmitOptions, end_of, submit_options

if TYPE_CHECKING:
    from pooldeck.client.client import Client


class PipelineItem:
    """Stands for the item, in the arguments of a step that goes over a list."""

    def __repr__(self) -> str:
        return "ITEM"


ITEM: Final[Any] = PipelineItem()
"""The item, in the arguments of a step that goes over a list."""


class StepHandle:
    """A step of a pipeline; as an argument of another it stands for its result.

    Attributes:
        name: Its name in the pipeline.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def reference(self) -> str:
        """Return what stands for it in a body: its name."""
        return self.name


class PipelineBuilder:
    """Collects steps, and submits them all at once.

    Args:
        client: What submits it.
        name: For people, to find it by.
    """

    def __init__(self, client: "Client", name: str | None = None) -> None:
        self._client = client
        self._name = name
        self._options = NO_OPTIONS
        self._steps: dict[str, Raw] = {}

    def options(self, **options: Any) -> "PipelineBuilder":
        """Return a view of it whose steps have options; as `Client.options`, without a key."""
        view = PipelineBuilder(self._client, self._name)
        view._options = submit_options(self._options, options)
        view._steps = self._steps
        return view

    def step(self, function: str | Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Add a step: one task.

        Args:
            function: As for `Client.submit`.
            args: Its arguments; a step among them stands for its result.
            kwargs: Its arguments by name.

        Returns:
            The step, to be passed to others. Its name is that of the function, numbered.
        """
        return self._add(function, args, kwargs, None)

    def each(
        self, items: Any, function: str | Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Any:
        """Add a step that becomes a task for each item of a list.

        Args:
            items: The list, or a step whose result is one.
            function: As for `Client.submit`.
            args: Its arguments, among them `ITEM`, which stands for the item; that alone if there
                are none.
            kwargs: Its arguments by name.

        Returns:
            The step; its result is the list of the results, in the order of the items.
        """
        if not args and not kwargs:
            args = (ITEM,)
        goes_over = items if isinstance(items, StepHandle) else list(items)
        return self._add(function, args, kwargs, goes_over)

    def submit(self) -> "RemotePipeline":
        """Submit the pipeline: all of its tasks are stored, or none.

        Raises:
            Refused: If the server refuses it; the message names the step.
            NotReachable: If no server answers.
        """
        body = {"tasks": self._steps} | ({} if self._name is None else {"name": self._name})
        key = {KEY: os.urandom(16).hex()}
        stored = self._client.ask(Question("POST", "/pipelines", body, None, key))
        tasks = {step: [self._client.future(each) for each in ids] for step, ids in _of(stored)}
        return RemotePipeline(self._client, stored["id"], tasks)

    def _add(
        self,
        function: str | Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        items: Any,
    ) -> StepHandle:
        name = self._free_name(name_of(function).rpartition(".")[2])
        self._steps[name] = Raw(_step(name_of(function), args, kwargs, items, self._options))
        return StepHandle(name)

    def _free_name(self, name: str) -> str:
        number, found = 1, name
        while found in self._steps:
            number += 1
            found = f"{name}-{number}"
        return found


class RemotePipeline:
    """A pipeline on the server.

    Attributes:
        id: Its id.
        futures: By the names of its steps, those of its tasks. Of a step that goes over the result
            of another there is one, of the task that becomes that of the first item.
    """

    def __init__(
        self, client: "Client", pipeline_id: str, futures: dict[str, list[RemoteFuture[Any]]]
    ) -> None:
        self.id = pipeline_id
        self.futures = futures
        self._client = client

    def __getitem__(self, step: Any) -> RemoteFuture[Any]:
        """Return the future of a step that is one task."""
        name = step.name if isinstance(step, StepHandle) else step
        futures = self.futures[name]
        if len(futures) != 1:
            raise KeyError(f"the step {name} is {len(futures)} tasks: see futures[{name!r}]")
        return futures[0]

    def record(self) -> Any:
        """Return how far it is, as the API has it: its state, and that of each step."""
        return self._client.request("GET", f"/pipelines/{self.id}")

    def cancel(self, *, kill: bool = False) -> None:
        """Cancel all of it that has not ended; with `kill` also what runs."""
        self._client.request("POST", f"/pipelines/{self.id}/cancel", {"kill": kill})


class _StepReferences(References):
    """Steps and the item, as what stands for them in a body."""

    def of(self, value: Any) -> Any:
        if isinstance(value, StepHandle):
            return {"$result": value.name}
        if isinstance(value, PipelineItem):
            return {"$item": True}
        if isinstance(value, RemoteFuture):
            raise TypeError(
                "a pipeline refers to its own steps only: pass the result of the future instead"
            )
        return None


def _step(
    function: str, args: tuple[Any, ...], kwargs: dict[str, Any], items: Any, options: SubmitOptions
) -> bytes:
    call = encode_call(args, kwargs, _StepReferences())
    over = (
        b""
        if items is None
        else b',"each":%b' % _only(encode_call((items,), {}, _StepReferences()).args)
    )
    name = msgspec.json.encode(function)
    parts = (name, call.args, call.kwargs, over, end_of(options))
    return b'{"function":%b,"args":%b,"kwargs":%b%b%b' % parts


def _only(args: bytes) -> bytes:
    """Return the JSON of the only argument."""
    return args[1:-1]


def _of(stored: Any) -> Iterable[tuple[str, list[str]]]:
    return stored["tasks"].items()  # type: ignore[no-any-return]  # as the API has it
