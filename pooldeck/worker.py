"""`python -m pooldeck.worker FD`: a process that runs calls and reports what they became.

    supervisor ── Setup, Call, Call … Stop ──▶ main thread ──▶ the call itself (process worker)
        ▲                                              └─────▶ thread 1 … N   (thread worker)
        └── Ready, Started, Log, Progress, Finished ── Channel ◀── calls, and the flusher

In a process worker the main thread reads a call and runs it: no hand-over between threads. In a
thread worker it reads and hands on to a `ThreadPoolExecutor` of N threads.
"""

import contextlib
import itertools
import os
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NoReturn

from pooldeck import capture, discovery, failures, surroundings
from pooldeck.channel import Channel
from pooldeck.desk import Desk, Equipment, LoneDesk
from pooldeck.output import OutputFile, drop_input
from pooldeck.protocol import Call, ProtocolError, Ready, Setup, Stop, Unready

_DONE: Final = 0
_FAILED: Final = 1


def main(arguments: list[str]) -> NoReturn:
    """Be a worker.

    Args:
        arguments: The program's name, and the number of the inherited socket.
    """
    channel = Channel(int(arguments[1]))
    setup = channel.receive()
    if not isinstance(setup, Setup):
        raise ProtocolError(f"the first frame is a {type(setup).__name__}, not a Setup")
    drop_input()
    output = None if setup.output_path is None else OutputFile(setup.output_path)
    capture.install()
    surroundings.prepare(setup.fault_path)
    surroundings.open_import_path()
    equipment = Equipment(channel, setup, output, _load(channel, setup, output))
    specs = [function.spec for function in equipment.functions.values()]
    channel.send(Ready(os.getpid(), specs))
    _serve(equipment)
    _leave(_DONE)


def _load(
    channel: Channel, setup: Setup, output: OutputFile | None
) -> Mapping[str, discovery.Function]:
    """Import the user's modules and run the initializer; report and leave if that fails."""
    try:
        functions = discovery.discover(setup.modules)
        if setup.initializer is not None:
            discovery.resolve(setup.initializer)()
    except BaseException as exception:  # noqa: BLE001 - sys.exit() in a module is such a failure too
        capture.flush()
        said = "" if output is None else output.tail(setup.limits.message_bytes)
        channel.send(Unready(failures.describe(exception, setup.limits), said))
        _leave(_FAILED)
    return functions


def _serve(equipment: Equipment) -> None:
    if equipment.setup.kind == "process":
        desk = LoneDesk(equipment)
        for call in _calls(equipment.channel):
            desk.perform(call)
    else:
        _serve_in_threads(equipment)


def _serve_in_threads(equipment: Equipment) -> None:
    """Hand calls to threads numbered from 1; return when the last one has ended."""
    desk = Desk(equipment)
    thread = threading.local()
    numbers = itertools.count(1)

    def number() -> None:
        thread.number = next(numbers)

    def perform(call: Call) -> None:
        try:
            desk.perform(call, thread.number)
        except BaseException:  # noqa: BLE001 - the executor would keep it to itself
            _give_up()

    with ThreadPoolExecutor(equipment.setup.slots, "slot", number) as executor:
        for call in _calls(equipment.channel):
            executor.submit(perform, call)


def _calls(channel: Channel) -> Iterator[Call]:
    """Yield calls until the supervisor says stop."""
    while not isinstance(message := channel.receive(), Stop):
        if isinstance(message, Call):
            yield message


def _leave(code: int) -> NoReturn:
    """End the process, whatever threads the tasks have left behind."""
    capture.flush()
    os._exit(code)


def _give_up() -> NoReturn:
    """End after an error that is no task's: a dead worker is noticed, a hanging one is not."""
    with contextlib.suppress(OSError):  # the error may be that standard error is gone
        traceback.print_exc()
    _leave(_FAILED)


if __name__ == "__main__":
    try:
        main(sys.argv)
    except BaseException:  # noqa: BLE001 - threads left behind would hold up an ordinary end
        _give_up()
