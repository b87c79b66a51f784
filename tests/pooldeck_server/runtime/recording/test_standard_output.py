"""Standard output as the log file, tried in a process of its own with a real one."""

import subprocess
import sys
from typing import Final

PROGRAM: Final = """
import os, sys
from pooldeck_server.runtime.recording.standard_output import StandardOutput

output = StandardOutput()
output.append([b"one\\n", b"two\\n"])
os.set_blocking(1, False)
long = b"x" * (1 << 20) + b"\\n"
try:
    output.append([long])  # more than a pipe takes
except BlockingIOError:
    print(output.lines, file=sys.stderr, flush=True)
os.set_blocking(1, True)
sys.stdin.readline()
output.append([b"three\\n"])
print(output.lines, file=sys.stderr)
"""


def test_lines_are_whole_and_counted_also_after_one_that_was_cut_off() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"2\n"  # nothing has been read so far
        out, err = process.communicate(b"go on\n", timeout=60)

    first, second, torn, last = out.splitlines()
    assert (first, second, last) == (b"one", b"two", b"three")
    assert 0 < len(torn) < 1 << 20
    assert set(torn) == set(b"x")
    assert err == b"3\n"
