"""What others wrote is read whole, or at both ends with the lines between them counted."""

import tempfile

from hypothesis import given
from hypothesis import strategies as st

from pooldeck.written import pieces


def read(written: bytes, start: int, most: int) -> list[bytes | int]:
    with tempfile.TemporaryFile() as file:
        file.write(written)
        file.flush()
        return list(pieces(file.fileno(), start, len(written), most))


@given(st.lists(st.sampled_from([b"a\n", b"bcd\n", b"\n"]), max_size=60), st.integers(2, 40))
def test_no_line_is_left_out_uncounted(lines: list[bytes], most: int) -> None:
    found = read(b"".join(lines), 0, most)
    told = [piece for piece in found if isinstance(piece, bytes)]
    left_out = sum(piece for piece in found if isinstance(piece, int))
    assert b"".join(told).count(b"\n") + left_out == len(lines)
    assert len(b"".join(told)) <= most


def test_both_ends_of_a_flood_are_read() -> None:
    first, left_out, *rest = read(b"".join(b"%06d\n" % n for n in range(1000)), 7, 70)
    assert first == b"".join(b"%06d\n" % n for n in range(1, 6))
    assert left_out == 990
    assert rest == [b"000996\n000997\n000998\n000999\n"]
