"""Small files of the kernel are read whole, in however many pieces it gives them."""

import os
import threading
from pathlib import Path

from pooldeck.small_files import read_small


def test_what_comes_in_pieces_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "pieces"
    os.mkfifo(path)

    def write() -> None:
        with path.open("wb", buffering=0) as pipe:
            for _ in range(50):
                pipe.write(4096 * b"x")

    writer = threading.Thread(target=write)
    writer.start()
    found = read_small(str(path))
    writer.join()
    assert len(found) == 50 * 4096
