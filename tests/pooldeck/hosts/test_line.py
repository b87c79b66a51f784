"""Frames arrive in order and once, wherever their connections are cut."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooldeck.hosts.line import LONG_BYTES, PIECE_BYTES, Line
from pooldeck.hosts.wire import Piece, encode, framed, from_server, unframed
from pooldeck.protocol import FrameBuffer, ProtocolError

_LONG: Final = 3 * PIECE_BYTES + LONG_BYTES


class End:
    """One side of a line, over connections that are bytes in a list."""

    def __init__(self) -> None:
        self.line = Line()
        self.sent = bytearray()
        self.got: list[bytes] = []
        self._frames = FrameBuffer()

    def connect(self, received: int) -> None:
        self.sent = bytearray()
        self._frames = FrameBuffer()
        self.line.connect(lambda n, message: self.sent.extend(framed(n, message)), received)

    def take(self, data: bytes) -> None:
        for body in self._frames.feed(data):
            n, message = unframed(body)
            if self.line.take(n, message):
                self.got.append(message)


def _reconnect(one: End, other: End) -> None:
    received = one.line.acked(), other.line.acked()
    one.connect(received[1])
    other.connect(received[0])


_STEPS: Final = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(0, 40)),
        st.tuples(st.just("reply"), st.integers(0, 40)),
        st.tuples(st.just("carry"), st.integers(1, 70)),
        st.tuples(st.just("carry back"), st.integers(1, 70)),
        st.tuples(st.just("cut"), st.just(0)),
        st.tuples(st.just("acknowledge"), st.just(0)),
    ),
    max_size=60,
)


@given(_STEPS)
def test_a_cut_at_any_byte_loses_no_frame_and_doubles_none(steps: list[tuple[str, int]]) -> None:
    one, other = End(), End()
    said: tuple[list[bytes], list[bytes]] = [], []
    _reconnect(one, other)
    for step, number in steps:
        match step:
            case "send" | "reply":
                who, words = (one, said[0]) if step == "send" else (other, said[1])
                words.append(bytes([len(words) % 256]) * number)
                who.line.send(words[-1])
            case "carry":
                other.take(bytes(one.sent[:number]))
                del one.sent[:number]
            case "carry back":
                one.take(bytes(other.sent[:number]))
                del other.sent[:number]
            case "acknowledge":
                one.line.acknowledge(other.line.acked())
                other.line.acknowledge(one.line.acked())
            case _:
                _reconnect(one, other)
    _reconnect(one, other)
    other.take(bytes(one.sent))
    one.take(bytes(other.sent))
    assert (other.got, one.got) == said


def _pieces(one: End, other: End) -> list[bytes]:
    """Send all pieces; return the messages that the other side puts together, and all else."""
    while one.line.has_pieces:
        one.line.send_piece()
    other.take(bytes(one.sent))
    one.sent.clear()
    found = []
    for message in other.got:
        try:
            decoded = from_server(message)
        except ProtocolError:
            found.append(message)
            continue
        assert isinstance(decoded, Piece)
        if (whole := other.line.join(decoded)) is not None:
            found.append(whole)
    return found


def test_a_long_frame_lets_others_pass_except_those_of_its_key() -> None:
    one, other = End(), End()
    _reconnect(one, other)
    one.line.send(b"a" * _LONG, "task 1")
    one.line.send(b"b", "task 1")
    one.line.send(b"c", "task 2")
    one.line.send(b"d" * _LONG, "task 2")
    found = [message[:1] for message in _pieces(one, other)]
    assert found[0] == b"c"
    assert found.index(b"a") < found.index(b"b")
    assert sorted(found) == [b"a", b"b", b"c", b"d"]
    assert not one.line.has_pieces


def test_pieces_that_were_cut_off_go_on_over_the_next_connection() -> None:
    one, other = End(), End()
    _reconnect(one, other)
    one.line.send(b"a" * _LONG)
    one.line.send_piece()
    one.line.send_piece()
    other.take(bytes(one.sent[: PIECE_BYTES + 100]))
    _reconnect(one, other)
    assert _pieces(one, other) == [b"a" * _LONG]


def test_a_frame_in_endless_pieces_is_refused() -> None:
    line = Line()
    for _ in range(64 * 1024 * 1024 // PIECE_BYTES + 1):
        line.join(Piece(1, is_last=False, data=b"x"))
    with pytest.raises(ProtocolError, match="over the limit"):
        line.join(Piece(1, is_last=False, data=b"x"))


def test_a_side_that_has_missed_frames_cannot_go_on() -> None:
    line = Line()
    with pytest.raises(ProtocolError, match="frame 2 follows frame 0"):
        line.take(2, encode(Piece(1, is_last=True, data=b"")))
    with pytest.raises(ProtocolError, match="was not sent or kept"):
        line.connect(lambda _n, _message: None, 3)
