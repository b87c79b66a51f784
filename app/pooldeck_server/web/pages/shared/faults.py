"""What faulthandler wrote when a process died: what it was, whose thread it was, and the others."""

import re
from dataclasses import dataclass
from typing import Final

from pooldeck_server.web.pages.shared.tracebacks import Part, traceback_parts

_THREAD: Final = re.compile(r"^(?P<current>Current t|T)hread 0x[0-9a-f]+.*$", re.MULTILINE)


@dataclass(frozen=True)
class ThreadTrace:
    """A thread: how faulthandler names it, and where it was, the latest call first."""

    name: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Fault:
    """What happened in the words of faulthandler, the thread it happened in, and the others."""

    what: str
    guilty: ThreadTrace | None
    others: tuple[ThreadTrace, ...]


def fault_of(traceback: str) -> Fault:
    """Return the parts of what faulthandler wrote; text of another form is `what` happened."""
    heads = list(_THREAD.finditer(traceback))
    if not heads:
        return Fault(traceback.strip(), None, ())
    ends = [head.start() for head in heads[1:]] + [len(traceback)]
    threads = [
        (head["current"] != "T", _thread(head[0], traceback[head.end() : end]))
        for head, end in zip(heads, ends, strict=True)
    ]
    return Fault(
        what=traceback[: heads[0].start()].strip(),
        guilty=next((thread for is_current, thread in threads if is_current), None),
        others=tuple(thread for is_current, thread in threads if not is_current),
    )


def _thread(name: str, frames: str) -> ThreadTrace:
    return ThreadTrace(name.removesuffix(":"), traceback_parts(frames.strip("\n")))
