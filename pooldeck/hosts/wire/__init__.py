"""The frames between a server and its hosts.

As in `pooldeck.protocol`, a frame is a length and a body. Here the body begins with a number (eight
bytes, big-endian): that of the frame in its `Line`, or 0 for one that is sent only once. The rest
is a tagged msgpack array. What names a time as `..._ago` or `ago` counts seconds back from when the
frame was sent: neither side has to know the other one's clock.
"""

from typing import Final

from pooldeck.hosts.wire.both_ways import Ack, Piece
from pooldeck.hosts.wire.codec import encode, framed, from_host, from_server, unframed
from pooldeck.hosts.wire.host_frames import (
    Back,
    Began,
    Described,
    Died,
    Ended,
    FromHost,
    Gone,
    Hello,
    Leaving,
    Logged,
    PoolIs,
    Progressed,
    Recovered,
    Renew,
    Sampled,
    Stacked,
    Watched,
    WorkerSaid,
)
from pooldeck.hosts.wire.parts import HostPool, Machine, WorkerIs, WorkerSample
from pooldeck.hosts.wire.server_frames import (
    CancelCall,
    Drain,
    EndsKept,
    FromServer,
    Grant,
    KillCall,
    KillWorker,
    LookAt,
    NotTaken,
    Over,
    Post,
    Resize,
    Restart,
    Resume,
    Welcome,
)

DEFAULT_PORT: Final = 8790
"""Where a server listens for hosts."""

__all__ = [
    "DEFAULT_PORT",
    "Ack",
    "Back",
    "Began",
    "CancelCall",
    "Described",
    "Died",
    "Drain",
    "Ended",
    "EndsKept",
    "FromHost",
    "FromServer",
    "Gone",
    "Grant",
    "Hello",
    "HostPool",
    "KillCall",
    "KillWorker",
    "Leaving",
    "Logged",
    "LookAt",
    "Machine",
    "NotTaken",
    "Over",
    "Piece",
    "PoolIs",
    "Post",
    "Progressed",
    "Recovered",
    "Renew",
    "Resize",
    "Restart",
    "Resume",
    "Sampled",
    "Stacked",
    "Watched",
    "Welcome",
    "WorkerIs",
    "WorkerSaid",
    "WorkerSample",
    "encode",
    "framed",
    "from_host",
    "from_server",
    "unframed",
]
