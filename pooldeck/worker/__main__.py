"""`python -m pooldeck.worker FD CONTROL_FD`: a process that runs calls and reports their outcomes.

    supervisor ── Setup, Call, Call … Stop ──▶ main thread ──▶ the call itself (process worker)
        │  ▲                                           └─────▶ thread 1 … N   (thread worker)
        │  └── Ready, Started, Log, Progress, Finished ── Channel ◀── calls, and the flusher
        │                                                    ▲
        ├───── Cancel, Abandon, Look ──▶ control thread ─────┘
        └◀──── numbers of signals ────── Python's handlers

In a process worker the main thread reads a call and runs it: no hand-over between threads. In a
thread worker it reads and hands on to slots, each a `ThreadPoolExecutor` of one thread. The control
thread listens meanwhile.
"""

import os
import sys
import threading
from collections.abc import Collection, Mapping
from typing import Final, NoReturn

from pooldeck import access
from pooldeck.kinds import PoolKind
from pooldeck.loaded_code import LoadedCode
from pooldeck.protocol import Call, ProtocolError, Ready, Setup, Stop, Unready
from pooldeck.worker import control, exits, failures, tracing
from pooldeck.worker.black_box import BlackBox
from pooldeck.worker.channel import Channel
from pooldeck.worker.descriptors import adopt
from pooldeck.worker.end_signals import EndSignals
from pooldeck.worker.functions import discovery
from pooldeck.worker.functions.discovery import Function
from pooldeck.worker.functions.loading import Loader
from pooldeck.worker.late_stacks import watched
from pooldeck.worker.leftovers import child_processes, process_state
from pooldeck.worker.leftovers.empty_input import EmptyInput
from pooldeck.worker.leftovers.resource_limits import ResourceLimits
from pooldeck.worker.leftovers.timers import Timers
from pooldeck.worker.logs import capture, inheritance
from pooldeck.worker.logs.last_words import LastWords
from pooldeck.worker.logs.output import OutputFile
from pooldeck.worker.measure import child_cpu, memory
from pooldeck.worker.runner import Equipment, Runner, SerialRunner
from pooldeck.worker.signal_changes import SignalChanges
from pooldeck.worker.thread_runner import ThreadRunner

_RUNNERS: Final[Mapping[PoolKind, type[Runner]]] = {
    PoolKind.THREAD: ThreadRunner,
    PoolKind.PROCESS: SerialRunner,
}


def main(arguments: list[str]) -> NoReturn:
    """Be a worker; `arguments` end with the numbers of the two inherited sockets."""
    inherited = memory.kernel_peak()
    channel = Channel(int(arguments[1]))
    pipe = adopt(int(arguments[2]))
    signals = EndSignals(pipe)
    setup = channel.receive()
    if not isinstance(setup, Setup):
        raise ProtocolError(f"the first frame is a {type(setup).__name__}, not a Setup")
    standard_input = EmptyInput()
    limits = ResourceLimits()
    changes = SignalChanges()
    timers = Timers()
    words = LastWords(
        setup.words_path,
        setup.limits.message_bytes,
        until_committed=setup.box_path is not None,
    )
    box = BlackBox(setup.box_path, setup.box_mark, is_alone=_RUNNERS[setup.kind].runs_alone)
    output = _output_file(setup, words)
    capture.install()
    inheritance.install()
    fault = process_state.prepare(setup.fault_path, setup.stack_path)
    child_cpu.install()
    child_processes.install()
    exits.install_for_forks()
    if setup.shared is not None:
        access.set_access(setup.shared, setup.worker)
    commands = _declared_commands(setup)
    process_state.open_import_path()
    loader = Loader(channel, setup, output)
    with watched(fault, setup.boot_seconds):
        functions = _load(loader, commands)
        if setup.tracing is not None:
            tracing.install(setup)
    inheritance.install_for_pools()
    signals.take()
    process_state.report_crashes(fault)
    equipment = Equipment(
        channel,
        setup,
        words,
        box,
        output,
        functions,
        signals,
        changes,
        standard_input,
        limits,
        timers,
        fault,
    )
    runner = _RUNNERS[setup.kind](equipment)
    control.start(pipe, runner, setup.until)
    channel.send(_ready(loader.loaded(equipment.functions.values()), inherited))
    _serve(runner, channel)
    with watched(fault, setup.leave_seconds):
        exits.finish(runner.close(), setup.leave_seconds)
        runner.send_rest()
    exits.leave(exits.DONE)


def _ready(code: LoadedCode, inherited: int) -> Ready:
    return Ready(os.getpid(), code, threading.get_ident(), inherited, memory.own_peak())


def _declared_commands(setup: Setup) -> Collection[Function]:
    if not setup.commands:
        return ()
    # Imported late, since few need it, and before the user's modules can be found instead.
    from pooldeck.worker import commands  # noqa: PLC0415

    return commands.functions(setup.commands, setup.limits.result_bytes).values()


def _load(loader: Loader, commands: Collection[Function]) -> Mapping[str, Function]:
    """Import the user's modules and run the initializer; report and leave if that one fails."""
    setup = loader.setup
    functions = loader.load(commands)
    try:
        if setup.initializer is not None:
            discovery.resolve(setup.initializer)()
    except BaseException as exception:  # noqa: BLE001 - sys.exit() in it is such a failure too
        error = failures.describe(exception, setup.limits)
        loader.channel.send(Unready(error, loader.output_since()))
        exits.leave(exits.FAILED)
    return functions


def _output_file(setup: Setup, words: LastWords) -> OutputFile | None:
    """Return where its output goes, if there is a file for it; end where that cannot be made."""
    if setup.output_path is None:
        return None
    try:
        return OutputFile(setup.output_path, words)
    except OSError as error:  # as where somebody has deleted the folder of the server
        sys.stderr.write(f"worker {setup.worker} has no place for its output: {error}\n")
        sys.stderr.flush()
        exits.end(exits.FAILED)


def _serve(runner: Runner, channel: Channel) -> None:
    while not isinstance(message := channel.receive(), Stop):
        if isinstance(message, Call):
            runner.dispatch(message)


def run() -> NoReturn:
    """Be the worker that the arguments of this process describe."""
    try:
        main(sys.argv)
    finally:  # threads left behind would hold up an ordinary end
        exits.give_up()


if __name__ == "__main__":
    run()
