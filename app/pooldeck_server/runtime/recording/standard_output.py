"""Standard output as the log file, where whoever runs containers wants the lines of all."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

_OUTPUT: Final = 1  # its descriptor
_END: Final = b"\n"


@dataclass(eq=False)
class StandardOutput:
    """Takes whole lines, as a `RotatingFile` does; what it is full of is read by somebody else."""

    path: str = "standard output"
    lines: int = field(init=False, default=0)  # that it has taken
    size_bytes: int = field(init=False, default=0)  # nobody can say
    _is_torn: bool = field(init=False, default=False)  # a line was cut off in the middle

    def close(self) -> None:
        """Leave it open: it belongs to the process."""

    def append(self, lines: Sequence[bytes]) -> None:
        """Write lines, each with the only newline at its end; it waits for who reads them.

        Raises:
            OSError: If not all could be written; `lines` says how many were.
        """
        data = b"".join([_END, *lines] if self._is_torn else lines)
        written = 0
        try:
            while written < len(data):
                written += os.write(_OUTPUT, data[written:])
        finally:
            whole = data.count(_END, 0, written)
            self.lines += whole - (1 if self._is_torn and whole else 0)
            if written:
                self._is_torn = data[written - 1 : written] != _END
