"""Text that is safe to send, and lines out of a stream."""

from hypothesis import given
from hypothesis import strategies as st

from pooldeck.text import LineBuffer, bounded


@given(st.text(st.characters(codec=None, categories=None), max_size=50), st.integers(0, 60))
def test_bounded_text_fits_and_can_be_encoded(text: str, most: int) -> None:
    kept = bounded(text, most)
    assert len(kept.removesuffix(" ... (cut)").encode()) <= most


@given(st.text(max_size=50))
def test_text_within_the_bound_is_untouched(text: str) -> None:
    assert bounded(text, len(text.encode())) == text


@given(st.lists(st.text(st.sampled_from("ab\n"), max_size=5)))
def test_lines_do_not_depend_on_how_the_text_was_cut(pieces: list[str]) -> None:
    buffer = LineBuffer(1000)
    lines = [line for piece in pieces for line in buffer.feed(piece)] + buffer.finish()
    assert lines == "".join(pieces).removesuffix("\n").split("\n") or not "".join(pieces)


def test_a_carriage_return_starts_the_line_anew() -> None:
    buffer = LineBuffer(1000)
    assert buffer.feed("10 %\r20 %\r") == []
    assert buffer.feed("30 %\r\nnext") == ["30 %"]
    assert buffer.finish() == ["next"]


def test_what_a_carriage_return_leaves_stands_until_it_is_overwritten() -> None:
    buffer = LineBuffer(1000)
    assert buffer.feed("10 %\r") == []
    assert buffer.feed("\r") == []
    assert buffer.finish() == ["10 %"]


def test_an_endless_line_is_handed_out_in_parts() -> None:
    buffer = LineBuffer(4)
    assert buffer.feed("abcd") == []
    assert buffer.feed("e") == ["abcde"]
    assert buffer.finish() == []
