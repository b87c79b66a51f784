"""`python -m pooldeck.worker FD CONTROL_FD`: a process that runs calls and reports their outcomes.

    supervisor ── Setup, Call, Call … Stop ──▶ main thread ──▶ the call itself (process worker)
        │  ▲                                           └─────▶ thread 1 … N   (thread worker)
        │  └── Ready, Started, Log, Progress, Finished ── Channel ◀── calls, and the flusher
        │                                                    ▲
        └───── Cancel, Abandon, Look ──▶ control thread ─────┘

In a process worker the main thread reads a call and runs it: no hand-over between threads. In a
thread worker it reads and hands on to slots, each a `ThreadPoolExecutor` of one thread. The control
thread listens meanwhile.
"""

import os
import sys
from collections.abc import Mapping
from typing import Final, NoReturn

from pooldeck import access, resources
from pooldeck.kinds import PoolKind
from pooldeck.protocol import Call, ProtocolError, Ready, Setup, Stop, Unready
from pooldeck.worker import capture, control, discovery, exits, failures, process_state
from pooldeck.worker.channel import Channel
from pooldeck.worker.descriptors import adopt
from pooldeck.worker.measure import child_cpu
from pooldeck.worker.output import OutputFile, drop_input
from pooldeck.worker.runner import Equipment, Runner, SerialRunner
from pooldeck.worker.thread_runner import ThreadRunner

_RUNNERS: Final[Mapping[PoolKind, type[Runner]]] = {
    PoolKind.THREAD: ThreadRunner,
    PoolKind.PROCESS: SerialRunner,
}


def main(arguments: list[str]) -> NoReturn:
    """Be a worker; `arguments` end with the numbers of the two inherited sockets."""
    channel = Channel(int(arguments[1]))
    pipe = adopt(int(arguments[2]))
    setup = channel.receive()
    if not isinstance(setup, Setup):
        raise ProtocolError(f"the first frame is a {type(setup).__name__}, not a Setup")
    drop_input()
    output = None if setup.output_path is None else OutputFile(setup.output_path)
    capture.install()
    process_state.prepare(setup.fault_path, setup.stack_path)
    child_cpu.install()
    if setup.shared is not None:
        access.set_access(setup.shared, setup.worker)
    commands = _declared_commands(setup)
    process_state.open_import_path()
    equipment = Equipment(channel, setup, output, _load(channel, setup, output, commands))
    runner = _RUNNERS[setup.kind](equipment)
    control.start(pipe, runner)
    specs = [function.spec for function in equipment.functions.values()]
    channel.send(Ready(os.getpid(), specs))
    _serve(runner, channel)
    exits.leave(exits.DONE)


def _declared_commands(setup: Setup) -> Mapping[str, discovery.Function]:
    if not setup.commands:
        return {}
    # Imported late, since few need it, and before the user's modules can be found instead.
    from pooldeck.worker import commands  # noqa: PLC0415

    return commands.functions(setup.commands, setup.limits.result_bytes)


def _load(
    channel: Channel,
    setup: Setup,
    output: OutputFile | None,
    commands: Mapping[str, discovery.Function],
) -> Mapping[str, discovery.Function]:
    """Import the user's modules and run the initializer; report and leave if that fails."""
    try:
        functions = discovery.merged(discovery.discover(setup.modules), commands)
        if setup.initializer is not None:
            discovery.resolve(setup.initializer)()
    except BaseException as exception:  # noqa: BLE001 - sys.exit() in a module is such a failure too
        capture.flush()
        written = "" if output is None else output.tail(setup.limits.message_bytes)
        channel.send(Unready(failures.describe(exception, setup.limits), written))
        exits.leave(exits.FAILED)
    return functions


def _serve(runner: Runner, channel: Channel) -> None:
    while not isinstance(message := channel.receive(), Stop):
        if isinstance(message, Call):
            runner.dispatch(message)
    runner.close()
    resources.close()


def run() -> NoReturn:
    """Be the worker that the arguments of this process describe."""
    try:
        main(sys.argv)
    except BaseException:  # noqa: BLE001 - threads left behind would hold up an ordinary end
        exits.give_up()


if __name__ == "__main__":
    run()
