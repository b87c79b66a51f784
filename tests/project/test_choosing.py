"""The bench of choosing: its functions do what is said of them, and the advice on them is right."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.choosing import functions, gains, mixed, page, stdlib, verdicts
from bench.choosing.cases import Case, cases
from bench.choosing.claims import CLAIMS, show
from bench.choosing.gains import Rates
from bench.choosing.material import Material, material
from bench.choosing.mixed import Mixed, WrongResultError
from bench.choosing.stdlib import Job
from bench.choosing.verdicts import WAYS, Verdict, Way
from bench.documents import write
from pooldeck.functions import OPTIONS_ATTRIBUTE
from tests import ROOT

GUIDE = ROOT / "docs" / "choosing.md"


@pytest.fixture(scope="module")
def made_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Material]:
    with material(tmp_path_factory.mktemp("material")) as made:
        yield made


def chosen(made_of: Material, *names: str) -> list[Case]:
    return [case for case in cases(made_of) if case.function in names]


def case_of(function: str, kind: str = "thread", verdict: str = "io_bound") -> Case:
    return Case(function, "for a test", (0,), (verdict,), kind)


def test_every_function_has_a_case_and_returns_the_same_each_time(made_of: Material) -> None:
    known = {case.function: Job(case.function, case.arguments) for case in cases(made_of)}
    registered = {
        name for name, each in vars(functions).items() if hasattr(each, OPTIONS_ATTRIBUTE)
    }

    assert known.keys() == registered
    assert len(known) >= 16
    assert [name for name, job in known.items() if stdlib.call(job) != stdlib.call(job)] == []


@pytest.mark.soak
@pytest.mark.parametrize(
    "way",
    [Way("process"), Way("thread", "like"), Way("thread", "sleepers")],
    ids=lambda way: way.title,
)
def test_few_runs_are_enough_for_the_right_verdict(
    way: Way, made_of: Material, tmp_path: Path
) -> None:
    tried = chosen(made_of, "count_primes", "derive_key", "sleep", "add")

    found = list(verdicts.measure(tried, tmp_path, [way]))

    assert len(found) == 4
    assert [(one.case.function, one.verdict, one.kind) for one in found if not one.is_right] == []


@pytest.mark.soak
def test_what_waits_gets_through_faster_in_threads(made_of: Material, tmp_path: Path) -> None:
    [rates] = gains.measure(chosen(made_of, "sleep"), tmp_path)

    assert rates.gain("thread") > 1.2
    assert rates.gain("process") == pytest.approx(1 / rates.gain("thread"))


@pytest.mark.soak
def test_the_mixed_load_returns_the_same_in_all_three_ways(
    made_of: Material, tmp_path: Path
) -> None:
    tried = chosen(made_of, "count_primes", "sleep", "gather_waits", "tidy_name")

    found = mixed.measure(tried, tmp_path, rounds=1, each=2)

    assert found.calls == 8
    assert min(found.thread + found.process + found.advised) > 0
    assert found.placed == {"cpu": 1, "io": 3}


def test_a_wrong_result_is_no_measurement() -> None:
    with pytest.raises(WrongResultError, match="sleep returned 2 instead of 1"):
        mixed.compare([1, 2], [1, 1], [case_of("add"), case_of("sleep")])


def test_the_stdlibs_executors_return_results_in_the_order_of_the_calls() -> None:
    load = [Case("add", "", (1, n), ("too_cheap",), "thread") for n in range(20)]

    for kind in stdlib.EXECUTORS:
        assert stdlib.run(kind, load).results == list(range(1, 21))


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    found = Mixed(1, thread=[2, 9, 4], process=[1, 1, 1], advised=[1, 3, 1], placed={})

    assert found.ratio("thread") == 3
    assert found.ratio("process") == 1


def test_the_table_shows_what_was_wrong() -> None:
    case = case_of("sleep")
    said = [
        Verdict(case, way, "io_bound", "process" if way.company == "like" else "thread", "low", {})
        for way in WAYS
    ]

    table = page.verdict_table([case], said, [Rates(case, 30, 10)])

    [row] = [line for line in table.splitlines() if "`sleep`" in line]
    assert row.count("right, low") == 3
    assert row.count("**wrong**: `io_bound` → process, low") == 2
    assert "30/s | 10/s | 3.00" in row
    assert "Right: 3 of 5 verdicts, 3 of 5 recommended kinds" in table


@pytest.mark.parametrize(("confidence", "is_right"), [("low", True), ("medium", False)])
def test_what_only_company_shows_may_be_said_otherwise_but_not_for_sure(
    confidence: str, is_right: bool
) -> None:
    case = Case("f", "", (), ("cpu_releasing_gil",), "process", shown_by_company=True)
    said = Verdict(case, WAYS[0], "cpu_releasing_gil", "thread", confidence, {})

    assert said.is_right is is_right


def test_a_part_of_a_document_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("a\n<!-- one -->\nold\n<!-- end -->\nb\n<!-- two -->\n<!-- end -->\nc\n")

    write(document, "two", "new")

    assert document.read_text() == (
        "a\n<!-- one -->\nold\n<!-- end -->\nb\n<!-- two -->\nnew\n<!-- end -->\nc\n"
    )
    with pytest.raises(ValueError, match="three"):
        write(document, "three", "new")


def test_the_guide_has_room_for_whatever_is_measured(tmp_path: Path) -> None:
    copy = tmp_path / "choosing.md"
    copy.write_text(GUIDE.read_text())

    for part in ["machine", "verdicts", "mixed", *(f"claim {name}" for name in CLAIMS)]:
        write(copy, part, part)


def test_a_claim_says_what_it_shows_and_what_it_found() -> None:
    said, *found = show("cpus").splitlines()

    assert said.startswith("`os.cpu_count()`")
    assert found[0].endswith("usable 1")


def test_claims_are_shown_by_name() -> None:
    shown, unknown = claims("contention"), claims("luck")

    assert (shown.returncode, unknown.returncode) == (0, 2)
    assert "beside seven others" in shown.stdout
    assert "there is no claim luck" in unknown.stderr


def claims(*names: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bench.choosing.claims", *names]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
