"""The titles of groups of errors: masked where their messages differ, and nowhere else."""

import pytest

from pooldeck_server.domain.failures.error_groups import masked
from pooldeck_server.domain.failures.group_titles import group_title


@pytest.mark.parametrize(
    ("messages", "title"),
    [
        (["user 7 is not on db-1", "user 9 is not on db-1"], "user # is not on db-1"),
        (["expected 3, got 4"], "expected 3, got 4"),
        (["no key 'colour' in 5 rows", "no key 'colour' in 6 rows"], "no key 'colour' in # rows"),
        (["cannot read /a/b/c.csv", "cannot read /a/b/d.csv"], "cannot read /…"),
        (["took 5 s", "took\t5  s"], "took 5 s"),
        (["\x1b[31mfailed\x1b[0m 3 times"], "failed 3 times"),
        (["nothing varies", "nothing varies"], "nothing varies"),
        (["12 of 30"], "12 of 30"),
        (["1, 2, 3 are odd", "1, 2 are odd"], "# are odd"),
        ([], ""),
    ],
)
def test_a_title_says_what_all_messages_of_a_group_say(messages: list[str], title: str) -> None:
    assert group_title(masked(messages[0] if messages else ""), messages) == title


def test_messages_that_do_not_fit_leave_the_title_masked() -> None:
    assert group_title("user # is gone", ["user 7 is gone", "somebody else"]) == "user # is gone"
    assert group_title("user # is gone", []) == "user # is gone"


def test_a_message_that_was_cut_has_its_beginning_in_the_title() -> None:
    message = "number 7 " + "word " * 100
    assert group_title(masked(message), [message]).startswith("number 7 word word")


def test_no_message_takes_long() -> None:
    odd = "1 a " * 200 + "b"
    assert group_title(masked("1 a " * 60), [odd]) == masked("1 a " * 60)
