"""Whatever is marked with `@task` is found by a name that one can foresee, or is told."""

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.discovered import discover

Write = Callable[[str, str], None]

WITHOUT_WRAPS = """
    def elsewhere(function):
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)
        wrapper.__module__ = "tools"
        return wrapper
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write modules that can be imported, and forget them afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write_module(name: str, source: str) -> None:
        path = tmp_path / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("from pooldeck import task\n" + textwrap.dedent(source))
        imported = name.removesuffix(".__init__")
        monkeypatch.delitem(sys.modules, imported, raising=False)

    return write_module


def problems(*modules: str) -> dict[str, str | None]:
    return {name: each.spec.problem for name, each in discover(modules).items()}


def test_what_a_decorator_without_wraps_makes_is_found_by_the_name_that_the_module_has(
    write: Write,
) -> None:
    source = """
    @task
    @elsewhere
    def counts(number: int) -> int:
        return number
    @task(name="marked.doubles")
    @elsewhere
    def doubles(number):
        return 2 * number
    @elsewhere
    @task(pool="cpu")
    def hidden(number: int) -> int:
        return number
    """
    write("bare_jobs", WITHOUT_WRAPS + source)
    found = discover(["bare_jobs"])
    assert {name: each.call(3) for name, each in found.items()} == {
        "bare_jobs.counts": 3,
        "marked.doubles": 6,
        "bare_jobs.hidden": 3,
    }
    assert found["bare_jobs.hidden"].spec.options.pool == "cpu"
    assert {each.spec.module for each in found.values()} == {"bare_jobs"}


def test_a_librarys_function_is_found_where_it_was_marked_and_nowhere_else(write: Write) -> None:
    source = """
    import math
    from textwrap import shorten as _shorten
    shorten = task(_shorten)
    root = task(math.sqrt)
    """
    write("marking_jobs", source)
    write("using_jobs", "from textwrap import shorten\n@task\ndef own(): ...")
    found = discover(["marking_jobs", "using_jobs"])
    assert list(found) == ["marking_jobs.shorten", "marking_jobs.root", "using_jobs.own"]
    assert found["marking_jobs.shorten"].call("two words", 8) == "[...]"
    assert found["marking_jobs.root"].call(9) == 3


@pytest.mark.parametrize(
    ("maker", "result"),
    [
        ("functools.partial(pow, 3)", 9),
        ("Scale(4).times", 8),
        ("Scale.negative", -2),
        ("Scale.half", 1),
        ("Scale(5)", 10),
        ("lambda number: number + 1", 3),
    ],
)
def test_any_callable_that_a_module_holds_can_be_marked(
    write: Write, maker: str, result: int
) -> None:
    source = f"""
    import functools
    class Scale:
        def __init__(self, factor):
            self.factor = factor
        def times(self, number):
            return self.factor * number
        __call__ = times
        @classmethod
        def negative(cls, number):
            return -number
        @staticmethod
        def half(number):
            return number // 2
    job = task(pool="io")({maker})
    """
    write("callable_jobs", source)
    found = discover(["callable_jobs"])
    assert found["callable_jobs.job"].call(2) == result
    assert found["callable_jobs.job"].spec.options.pool == "io"


def test_a_package_that_only_re_exports_has_the_functions_under_its_own_name(write: Write) -> None:
    write("shop.__init__", "from shop.selling import sell\nfrom shop.selling import _pack as pack")
    write("shop.selling", "@task\ndef sell(): ...\n@task\ndef _pack(): ...")
    assert list(discover(["shop"])) == ["shop.sell", "shop.pack"]
    assert list(discover(["shop", "shop.selling"])) == ["shop.selling.sell", "shop.selling._pack"]


def test_what_a_package_has_below_it_and_no_name_for_is_told(write: Write) -> None:
    write("store.__init__", "from store.selling import sell")
    write("store.selling", "@task\ndef sell(): ...\n@task\ndef refund(): ...")
    assert problems("store") == {
        "store.sell": None,
        "store.selling.refund": "it was marked with @task in line 4 of store.selling, which is not "
        "one of the modules of functions, and store has no name for it: import it there, or name "
        "its module as well",
    }
    both = problems("store", "store.selling")
    assert both == {"store.selling.sell": None, "store.selling.refund": None}


def test_functions_that_are_made_in_a_loop_have_the_names_that_they_are_given(write: Write) -> None:
    write(
        "many_jobs",
        """
    def make(factor):
        def job(number: int) -> int:
            return factor * number
        return job
    for factor in (2, 3):
        globals()[f"times_{factor}"] = task(make(factor))
    """,
    )
    assert list(discover(["many_jobs"])) == ["many_jobs.times_2", "many_jobs.times_3"]


def test_what_no_name_leads_to_is_told_with_its_line(write: Write) -> None:
    source = """
    def swallow(function):
        return None
    def register(function):
        return "registered"
    @swallow
    @task
    def lost(): ...
    @register
    @task
    def taken(): ...
    handlers = {"a": task(lambda: None)}
    @task
    def deleted(): ...
    del deleted
    @task
    def kept(): ...
    """
    write("losing_jobs", source)
    found = problems("losing_jobs")
    where = "it was marked with @task in line {} of losing_jobs, "
    assert found == {
        "losing_jobs.kept": None,
        "losing_jobs.lost": where.format(8) + "which has no name for it",
        "losing_jobs.taken": where.format(11)
        + "where its name stands for something else that does not lead to it; "
        "put @task above the other decorators",
        "losing_jobs.<lambda>": where.format(13) + "which has no name for it",
        "losing_jobs.deleted": where.format(14) + "which has no name for it",
    }


def test_tasks_that_are_marked_while_others_run_are_no_loss(write: Write) -> None:
    write("inner_jobs", "@task\ndef outer():\n    @task\n    def inner(): ...\n    return inner")
    discover(["inner_jobs"])["inner_jobs.outer"].call()
    assert list(problems("inner_jobs")) == ["inner_jobs.outer"]
