"""The list of tasks: what its address means, and what it offers to change it."""

from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from starlette.datastructures import QueryParams

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.measurements.figures import Count
from pooldeck_server.domain.tasks.filter import Sort, StateCounts, TaskFilter, TaskPage, Total
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.tasks.address import (
    TaskListQuery,
    has_keyed_words,
    href,
    read_filter,
    read_view,
)
from pooldeck_server.web.pages.tasks.completion import completions
from pooldeck_server.web.pages.tasks.confirm import cancel, chosen, retry
from pooldeck_server.web.pages.tasks.data import TaskListData
from pooldeck_server.web.pages.tasks.view import TasksView, tasks_view, total_words

MINUTE = 60_000_000  # microseconds
TASK = StoredTask(
    seq=1,
    id="0199",
    function="acme.work",
    pool="cpu",
    state=State.RUNNING,
    attempt=1,
    priority=0,
    tags=(),
    created_at=0,
    run_at=None,
)
COUNTS = (
    Count("cpu", "acme.work", State.FAILED, 1000),
    Count("io", "acme.work", State.FAILED, 17),
    Count("io", "acme.load", State.FAILED, 5),
)


def view(address: str) -> TaskListQuery:
    return read_view(QueryParams(address))


def listed(
    wanted: TaskListQuery, *, cursor: str | None = None, task: StoredTask = TASK
) -> TasksView:
    read = TaskListData(TaskPage((task,), cursor), Total(1, is_exact=True), COUNTS, 0)
    return tasks_view(wanted, read, {}, is_first=True)


# The address.


def test_an_address_says_what_the_list_shows_and_the_list_says_the_address() -> None:
    address = (
        "state=failed&state=lost&function=acme.work&pool=io&tag=a%26b&error=timeout&group=1f"
        "&since=2026-11-30T09:00:00Z&until=2026-11-30T10:00:00Z&q=x&sort=run"
    )
    wanted = view(address)
    assert wanted == TaskListQuery(
        TaskFilter(
            states=(State.FAILED, State.LOST),
            functions=("acme.work",),
            pools=("io",),
            tags=("a&b",),
            errors=("timeout",),
            groups=("1f",),
            text="x",
            since=1796029200_000000,
            until=1796032800_000000,
        ),
        sort=Sort.RUN,
    )
    assert sorted(parse_qsl(urlsplit(href(wanted)).query)) == sorted(parse_qsl(address))
    assert href(TaskListQuery()) == "/tasks"


def test_empty_fields_of_the_form_filter_nothing() -> None:
    empty = "function=&pool=&tag=&error=&q=+&within=&since=&until=&sort="
    assert view(empty) == TaskListQuery()


def test_words_with_a_key_in_the_search_mean_filters_and_the_rest_is_searched_for() -> None:
    query = QueryParams({"q": 'state:failed some tag:"two words" text tag:nightly'})
    assert has_keyed_words(query)
    assert read_view(query).wanted == TaskFilter(
        states=(State.FAILED,), tags=("two words", "nightly"), text="some text"
    )


@pytest.mark.parametrize("text", ["http://x", "nostate:failed", "state: failed", 'tag:"', "a:b"])
def test_other_words_with_a_colon_are_searched_for(text: str) -> None:
    query = QueryParams({"q": text})
    assert not has_keyed_words(query)
    assert read_view(query).wanted == TaskFilter(text=text)


def test_the_word_of_the_command_line_for_a_search_is_understood() -> None:
    assert read_view(QueryParams("search=needle")).wanted == TaskFilter(text="needle")
    assert read_view(QueryParams("search=state:failed")).wanted.states == (State.FAILED,)


def test_the_latest_goes_on_meaning_the_latest() -> None:
    wanted = view("within=15m")
    assert href(wanted) == "/tasks?since=15m"
    assert wanted.filter(100 * MINUTE) == TaskFilter(since=85 * MINUTE)
    assert wanted.filter(200 * MINUTE) == TaskFilter(since=185 * MINUTE)
    assert read_filter(QueryParams("since=1m"), 9 * MINUTE) == TaskFilter(since=8 * MINUTE)


def test_a_time_without_a_zone_is_one_of_utc() -> None:
    for text in ("2026-11-30T09:00", "2026-11-30T09:00Z", "2026-11-30T10:00%2B01:00"):
        assert view(f"since={text}").wanted.since == 1796029200_000000


def test_times_at_the_ends_of_the_calendar_are_times() -> None:
    assert view("since=0001-01-01T00:00%2B23:59").wanted.since == 0
    latest = view("until=9999-12-31T23:59:59-23:59")
    assert view(urlsplit(href(latest)).query) == latest


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("state=done", "scheduled, queued"),
        ("sort=name", "created, finished, run"),
        ("since=yesterday", 'since: "yesterday" is no time:'),
        ("until=9999999-01-01", "until"),
        ("since=-5h", "since"),
        ("since=99999h", "since"),
    ],
)
def test_what_an_address_cannot_mean_is_refused_with_what_it_can(address: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        view(address)


# The list.


def test_a_state_chip_adds_its_state_and_takes_it_out_again() -> None:
    chips = {chip.label: chip for chip in listed(view("state=failed")).chips}
    assert chips[State.FAILED].is_chosen
    assert chips[State.FAILED].href == "/tasks"
    assert chips[State.FAILED].count == "1,022"
    assert not chips[State.LOST].is_chosen
    assert chips[State.LOST].count == "0"
    assert chips[State.LOST].href == "/tasks?state=failed&state=lost"


@pytest.mark.parametrize(
    ("address", "count"),
    [("pool=io", "22"), ("pool=io&function=acme.work", "17")],
)
def test_a_state_chip_counts_what_the_other_filters_leave(address: str, count: str) -> None:
    counts = {chip.label: chip.count for chip in listed(view(address)).chips}
    assert counts[State.FAILED] == count


@pytest.mark.parametrize(
    ("is_exact", "failed", "lost"), [(True, "1,400", "0"), (False, "1,400+", None)]
)
def test_where_no_counter_tells_a_chip_says_what_was_found(
    is_exact: bool, failed: str, lost: str | None
) -> None:
    found = StateCounts({State.FAILED: 1400}, is_exact)
    read = TaskListData(TaskPage((), None), Total(0, is_exact=True), COUNTS, 0, found)
    shown = tasks_view(view("tag=x"), read, {}, is_first=True)
    counts = {chip.label: chip.count for chip in shown.chips}
    assert (counts[State.FAILED], counts[State.LOST]) == (failed, lost)


def test_each_condition_in_force_can_be_taken_out_alone() -> None:
    narrowings = listed(view("tag=a&tag=b&group=1f&q=x&since=1h")).narrowings
    assert [(each.label, each.value, each.href) for each in narrowings] == [
        ("tag", "a", "/tasks?tag=b&group=1f&q=x&since=1h"),
        ("tag", "b", "/tasks?tag=a&group=1f&q=x&since=1h"),
        ("error group", "1f", "/tasks?tag=a&tag=b&q=x&since=1h"),
        ("submitted", "last hour", "/tasks?tag=a&tag=b&group=1f&q=x"),
        ("text", "x", "/tasks?tag=a&tag=b&group=1f&since=1h"),
    ]


def test_a_time_from_and_until_are_conditions_too() -> None:
    narrowings = listed(view("since=2026-11-30T09:00&until=2026-11-30T10:00")).narrowings
    assert [(each.label, each.value) for each in narrowings] == [
        ("from", "2026-11-30 09:00:00.000 UTC"),
        ("until", "2026-11-30 10:00:00.000 UTC"),
    ]


def test_the_next_page_is_one_link_away_and_keeps_filter_and_order() -> None:
    wanted = view("state=lost&sort=finished")
    older = "/tasks?state=lost&sort=finished&cursor=abc"
    assert listed(wanted, cursor="abc").older_href == older
    assert listed(wanted).older_href is None


def test_one_order_is_marked_and_each_keeps_the_filter() -> None:
    sorts = listed(view("tag=a&sort=run")).sorts
    assert [(each.href, each.is_chosen) for each in sorts] == [
        ("/tasks?tag=a", False),
        ("/tasks?tag=a&sort=finished", False),
        ("/tasks?tag=a&sort=run", True),
    ]


def test_a_page_with_progress_is_loaded_anew_though_no_state_changes() -> None:
    in_progress = msgspec.structs.replace(TASK, progress_fraction=0.5)
    assert listed(TaskListQuery()).refresh == "changes"
    assert listed(TaskListQuery(), task=in_progress).refresh == "always"


@pytest.mark.parametrize(
    ("address", "cancel", "retry"),
    [
        ("", "/tasks/cancel", "/tasks/retry"),
        ("state=queued", "/tasks/cancel?state=queued", None),
        ("state=lost&q=x", None, "/tasks/retry?state=lost&q=x"),
        ("tag=a&since=2d", "/tasks/cancel?tag=a&since=48h", "/tasks/retry?tag=a&since=48h"),
    ],
)
def test_all_that_match_can_be_changed_where_any_of_them_can(
    address: str, cancel: str | None, retry: str | None
) -> None:
    shown = listed(view(address))
    assert (shown.cancel_href, shown.retry_href) == (cancel, retry)


def test_a_total_says_whether_there_may_be_more() -> None:
    assert total_words(Total(1, is_exact=True)) == "1 task"
    assert total_words(Total(48112, is_exact=True)) == "48,112 tasks"
    assert total_words(Total(1000, is_exact=False)) == "1,000+ tasks"


# Those that are chosen.


def test_how_many_of_the_chosen_can_be_changed_is_said_and_all_are_sent_along() -> None:
    asked = retry(chosen(["a", "b", "c"], [State.FAILED, State.LOST], "/tasks?q=x"))
    assert asked.button == "Retry 2 tasks"
    assert "1 of those that you chose stays as it is" in " ".join(asked.sentences)
    assert [value for name, value in asked.hidden if name == "id"] == ["a", "b", "c"]
    assert asked.back == "/tasks?q=x"
    assert "succeeded" not in " ".join(asked.sentences)


def test_where_none_of_the_chosen_can_be_changed_there_is_no_button() -> None:
    assert cancel(chosen(["a"], [], "/tasks")).button is None
    assert retry(chosen(["a"], [], "/tasks")).button is None


# Completion.

NAMES = {
    "function": ["acme.jobs.render", "acme.jobs.prepare"],
    "pool": ["cpu", "render"],
    "tag": ["nightly render"],
    "state": ["running"],
}


def test_a_word_is_completed_to_names_of_every_kind_those_that_begin_so_first() -> None:
    assert [each.word for each in completions("re", NAMES)] == [
        "function:acme.jobs.render",
        "pool:render",
        "function:acme.jobs.prepare",
        'tag:"nightly render"',
    ]


def test_a_key_narrows_the_completion_to_its_kind() -> None:
    assert [each.value for each in completions("pool:", NAMES)] == ["cpu", "render"]
    assert [each.value for each in completions("tag:night", NAMES)] == ["nightly render"]
    assert completions("tag:day", NAMES) == []
    assert completions("", NAMES) == []
    assert completions("http://", NAMES) == []
