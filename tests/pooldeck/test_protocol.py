"""What arrives from a worker is a frame as workers send them, or it is refused."""

from contextlib import suppress
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooldeck.protocol import FrameBuffer, FromWorker, ProtocolError, from_worker
from tests.support.forged import FRAMES, are_finite, with_absurd_numbers

_MESSAGE = st.sampled_from([msgspec.msgpack.encode(sample) for sample in FRAMES])


@pytest.mark.parametrize("sample", FRAMES, ids=lambda sample: type(sample).__name__)
def test_what_workers_send_arrives_as_it_was(sample: FromWorker) -> None:
    assert from_worker(msgspec.msgpack.encode(sample)) == sample
    assert {type(each) for each in FRAMES} == set(FromWorker.__args__)


def test_no_number_arrives_that_is_none_or_out_of_its_range() -> None:
    for _, body in with_absurd_numbers():
        with suppress(ProtocolError):
            assert are_finite(from_worker(body))


@given(
    body=st.binary()
    | st.tuples(_MESSAGE, st.integers(0, 200), st.binary()).map(
        lambda cut: cut[0][: cut[1]] + cut[2]
    )
)
def test_bytes_that_are_no_frame_raise_nothing_but_a_protocol_error(body: bytes) -> None:
    with suppress(ProtocolError):
        assert are_finite(from_worker(body))


@pytest.mark.parametrize("depth", [10_000])
def test_an_error_with_causes_without_end_is_refused(depth: int) -> None:
    error = b"\x84\xa4kind\xa9exception\xa4type\xa1E\xa7message\xa1m\xa5cause"
    body = b"\x93\xa8finished\xa4task\x81\xa5error" + error * depth + b"\xc0"
    with pytest.raises(ProtocolError):
        from_worker(body)


@given(bodies=st.lists(st.binary(max_size=9)), cuts=st.lists(st.integers(0, 60)))
def test_frames_arrive_whole_and_in_order_wherever_their_bytes_are_cut(
    bodies: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(len(body).to_bytes(4, "big") + body for body in bodies)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    frames = FrameBuffer()
    pieces = (stream[start:end] for start, end in pairwise(places))
    assert [body for piece in pieces for body in frames.feed(piece)] == bodies


@pytest.mark.parametrize("cut", [2, 8])
def test_a_frame_that_claims_to_be_larger_than_any_is_refused(cut: int) -> None:
    stream = b"\xff" * 8
    frames = FrameBuffer()
    pieces = (stream[:cut], stream[cut:])
    with pytest.raises(ProtocolError):
        _ = [body for piece in pieces for body in frames.feed(piece)]
