"""Where a function goes that leaves its pool to the server."""

from typing import Any

import pytest

from pooldeck.functions import FunctionSpec
from pooldeck.kinds import PoolKind
from pooldeck_server.domain.functions.catalogue import Catalogue
from pooldeck_server.domain.functions.placements import Placement, PlacementRule, first_placement
from tests.pooldeck_server.domain.functions.test_catalogue import parameter, spec

KINDS = {"io": PoolKind.THREAD, "cpu": PoolKind.PROCESS, "more": PoolKind.PROCESS}


def function(*names: str, is_async: bool = False, **options: Any) -> FunctionSpec:
    plain = spec("acme.f", *(parameter(name, {}) for name in names), **options)
    return FunctionSpec(
        plain.name,
        plain.module,
        plain.signature,
        plain.doc,
        plain.parameters,
        plain.schema,
        plain.options,
        is_async=is_async,
    )


@pytest.mark.parametrize("names", [("path", "width"), ("url",), ("host", "endpoint")])
def test_a_plain_function_starts_in_the_first_process_pool_whatever_it_takes(
    names: tuple[str, ...],
) -> None:
    placement = first_placement(function(*names), KINDS)
    assert placement == Placement("cpu", PlacementRule.PLAIN)


def test_an_async_function_starts_in_threads() -> None:
    placement = first_placement(function("path", is_async=True), KINDS)
    assert placement == Placement("io", PlacementRule.COROUTINE)


@pytest.mark.parametrize("kind", PoolKind)
def test_with_pools_of_one_kind_the_first_it_is(kind: PoolKind) -> None:
    placement = first_placement(function("url", is_async=True), {"one": kind, "two": kind})
    assert placement == Placement("one", PlacementRule.ONE_KIND)


def test_a_placement_is_kept_as_text_without_what_does_not_apply() -> None:
    placement = Placement("io", PlacementRule.MEASURED, since=5, verdict="io_bound")
    assert Placement.from_json(placement.to_json()) == placement
    assert Placement("cpu", PlacementRule.PLAIN).to_json() == '{"pool":"cpu","rule":"plain"}'


def test_what_earlier_versions_kept_of_a_move_can_still_be_read() -> None:
    text = '{"pool":"io","rule":"measured","since":5,"runs":20,"gain":3.0,"before":"cpu","moves":2}'
    assert Placement.from_json(text) == Placement(
        "io", PlacementRule.MEASURED, since=5, runs=20, gain=3.0, before="cpu", moves=2
    )
    address = Placement.from_json('{"pool":"io","rule":"address","hint":"url"}')
    assert (address.rule, address.hint) == (PlacementRule.ADDRESS, "url")
    assert Placement.from_json('{"pool":"cpu","rule":"unknown"}').rule is PlacementRule.UNKNOWN


PLACED = Placement("io", PlacementRule.BY_HAND, since=1, before="cpu")


def test_a_function_is_where_it_was_placed_also_in_newer_catalogues() -> None:
    catalogue = Catalogue(KINDS, [function("path")]).placed("acme.f", PLACED)
    found = catalogue.get("acme.f")
    assert (found.pool, found.placement, found.placed_text) == ("io", PLACED, PLACED.to_json())
    assert catalogue.with_specs([function("path")]).get("acme.f").pool == "io"


def test_a_function_that_is_given_back_is_where_it_starts() -> None:
    catalogue = Catalogue(KINDS, [function("path")], {"acme.f": PLACED})
    assert catalogue.get("acme.f").pool == "io"
    assert catalogue.placed("acme.f", None).get("acme.f").pool == "cpu"


def test_a_named_pool_wins_over_a_placement() -> None:
    found = Catalogue(KINDS, [function("path", pool="more")], {"acme.f": PLACED}).get("acme.f")
    assert (found.pool, found.placement, found.placed_text) == ("more", None, None)


def test_a_placement_in_a_pool_that_is_gone_is_forgotten() -> None:
    found = Catalogue({"cpu": PoolKind.PROCESS}, [function("path")], {"acme.f": PLACED}).get(
        "acme.f"
    )
    assert found.placement == Placement("cpu", PlacementRule.ONE_KIND)


def test_a_function_can_be_placed_before_any_worker_has_reported() -> None:
    catalogue = Catalogue(KINDS).placed("acme.f", PLACED)
    assert not catalogue.is_known
    assert catalogue.with_specs([function("path")]).get("acme.f").pool == "io"


MEASURED = Placement("io", PlacementRule.MEASURED, since=1, before="cpu")
UNDONE = Placement("cpu", PlacementRule.UNDONE, since=1, before="io", code="1f")


def test_what_measurements_moved_counts_as_long_as_its_owner_vouches_for_it() -> None:
    vouched = function("path", safe_in=(PoolKind.THREAD,))
    catalogue = Catalogue(KINDS, [vouched], {"acme.f": MEASURED})
    assert catalogue.get("acme.f").pool == "io"
    assert catalogue.unvouched() == {}
    withdrawn = catalogue.with_specs([function("path", safe_in=(PoolKind.PROCESS,))])
    assert withdrawn.get("acme.f").placement == Placement("cpu", PlacementRule.PLAIN)
    assert withdrawn.unvouched() == {"acme.f": MEASURED}
    named = catalogue.with_specs([function("path", pool="io", safe_in=(PoolKind.THREAD,))])
    assert named.unvouched() == {"acme.f": MEASURED}
    assert catalogue.with_specs([]).unvouched() == {"acme.f": MEASURED}


def test_a_word_is_for_each_kind_by_itself_and_the_way_back_needs_none() -> None:
    for given, may_be_there in {
        (): {"cpu"},
        (PoolKind.THREAD,): {"cpu", "io"},
        (PoolKind.PROCESS,): {"cpu", "more"},
        tuple(PoolKind): {"cpu", "more", "io"},
    }.items():
        catalogue = Catalogue(KINDS, [function("path", safe_in=given)])
        assert {pool for pool in KINDS if catalogue.is_vouched_for("acme.f", pool)} == may_be_there
    assert not catalogue.is_vouched_for("acme.f", "sea")
    assert not catalogue.is_vouched_for("acme.g", "io")


def test_only_a_move_to_another_pool_is_on_trial() -> None:
    assert MEASURED.is_on_trial
    assert PLACED.is_on_trial
    assert not Placement("io", PlacementRule.BY_HAND, since=1, before="io").is_on_trial
    assert not UNDONE.is_on_trial
    assert not Placement("cpu", PlacementRule.PLAIN).is_on_trial


def test_what_was_undone_stays_until_its_code_is_another() -> None:
    assert UNDONE.is_undone_for("1f")
    assert UNDONE.is_settled_for("1f")
    assert not UNDONE.is_undone_for("2e")
    assert not UNDONE.is_settled_for("2e")
    assert PLACED.is_settled_for("1f")
    assert not MEASURED.is_settled_for("1f")
