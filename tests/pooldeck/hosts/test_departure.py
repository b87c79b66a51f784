"""How a boot of a host leaves, and what that makes of the calls that it cut off."""

from pooldeck.hosts.departure import Departure
from pooldeck.hosts.model import GoneBy
from pooldeck.outcome import Error, ErrorKind, Outcome

CUT_OFF = Outcome(error=Error(ErrorKind.INTERRUPTED, "Interrupted", "the worker was ended"))


def test_what_a_host_cuts_off_while_its_server_goes_on_is_lost_with_the_reason() -> None:
    leaving = Departure("a")
    assert leaving.end("it was ended by hand: it burns")

    error = leaving.judged(CUT_OFF).error

    assert error is not None
    assert error.kind is ErrorKind.HOST_LOST
    assert error.message == "host a ended while this task ran there: it was ended by hand: it burns"


def test_what_the_end_of_the_server_cuts_off_is_no_fault_of_a_host() -> None:
    leaving = Departure("a")
    leaving.end("the server ends", with_server=True)

    assert leaving.judged(CUT_OFF) is CUT_OFF


def test_a_host_that_was_told_to_end_for_itself_does_not_end_for_its_server_later() -> None:
    leaving = Departure("a")
    leaving.end("it burns")
    assert not leaving.end("the server ends", with_server=True)

    assert leaving.judged(CUT_OFF) is not CUT_OFF


def test_the_first_reason_stays_and_how_it_is_known_follows() -> None:
    leaving = Departure("a")
    assert leaving.drain("it was to be drained")
    leaving.end("it was drained")
    leaving.gone(GoneBy.OWN_WORD, "it ended, and said so")

    assert leaving.reason == "it was to be drained: it ended, and said so"
    assert leaving.is_gone
