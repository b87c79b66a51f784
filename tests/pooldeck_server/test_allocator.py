"""What is large goes back to the system, however much of it there was before."""

import subprocess
import sys

PROGRAM = """
import psutil
from pooldeck_server.allocator import give_large_blocks_back

give_large_blocks_back()
MIB = 1024 * 1024
process = psutil.Process()
before = process.memory_info().rss
kept = []
for _ in range(20):
    blocks = [bytearray(2 * MIB) for _ in range(40)]
    kept.append(bytearray(64 * 1024))  # small ones in between, which hold a heap up
    del blocks
print((process.memory_info().rss - before) // MIB)
"""


def test_large_blocks_are_given_back() -> None:
    said = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(said.stdout) < 30
