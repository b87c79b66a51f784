"""Options that several commands have: declared once, and handed over together.

typer reads the parameters of a function; a group of options is one parameter of it that stands for
several of the command line.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, get_type_hints

Command = Callable[..., int | None]


def with_group(
    options: Mapping[str, Any], read: Callable[[dict[str, Any]], Mapping[str, Any]]
) -> Callable[[Command], Command]:
    """Return what makes a command of one that takes a server, an output and a group of options.

    Args:
        options: The annotations of the options, by their names. None is given for those without.
        read: Makes of what was given what the function gets as its third argument.
    """

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(server: Any, output: Any, **given: Any) -> int | None:
            group = {name: given.pop(name) for name in options}
            return command(server, output, read(group), **given)

        return describe(run, command, options, {}, taken=slice(2, 3))

    return decorate


def describe(
    run: Command,
    command: Command,
    options: Mapping[str, Any],
    defaults: Mapping[str, Any],
    *,
    taken: slice,
) -> Command:
    """Let typer see in `run` the parameters of `command` and the options, each by its name.

    Args:
        run: What is called.
        command: Whose parameters it has, but for those that are taken.
        options: The annotations of what is added.
        defaults: Of these, where it is not None.
        taken: Which parameters of the command are handed over by `run` itself.
    """
    own = list(inspect.signature(command, eval_str=True).parameters.values())
    del own[taken]
    added = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=defaults.get(name),
            annotation=annotation,
        )
        for name, annotation in options.items()
    ]
    run.__signature__ = inspect.Signature([*own, *added])  # type: ignore[attr-defined]  # read by it
    run.__annotations__ = get_type_hints(command, include_extras=True) | dict(options)
    return run
