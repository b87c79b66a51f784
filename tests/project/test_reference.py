"""The page of reference says what the code says, and nothing is declared that it could not say."""

import inspect
import re
from pathlib import Path
from typing import Annotated, Literal, get_overloads

import pytest
from pydantic import BaseModel, Field

from pooldeck.context import CurrentTask
from pooldeck.functions import RULES, Options, task
from pooldeck_server.settings import check_variables
from pooldeck_server.settings.units import unit
from pooldeck_server.settings.variables import _OURS
from tests.support.reference.page import PAGE, PARTS, write_parts
from tests.support.reference.settings import sections
from tests.support.reference.words import UndescribedError


@pytest.mark.parametrize("page", PARTS, ids=lambda page: page.name)
def test_the_tables_of_the_reference_are_what_the_code_says(page: Path, tmp_path: Path) -> None:
    """`make reference` writes them anew."""
    anew = tmp_path / page.name
    anew.write_text(page.read_text())

    write_parts(page, anew)

    assert page.read_text() == anew.read_text()


def test_the_options_of_task_are_those_that_it_checks_with_the_defaults_that_it_keeps() -> None:
    [_, with_options] = get_overloads(task)
    signature = inspect.signature(with_options)
    defaults = {name: parameter.default for name, parameter in signature.parameters.items()}

    assert defaults.keys() == RULES.keys()
    assert Options(**defaults) == Options()


def test_every_public_name_of_a_current_task_is_in_the_reference() -> None:
    part = PAGE.read_text().partition("<!-- current_task -->")[2].partition("<!-- end -->")[0]
    public = {name for name in dir(CurrentTask) if not name.startswith("_")}

    assert public
    assert {name for name in public if not re.search(rf"`{name}\b", part)} == set()


def test_each_variable_of_the_reference_is_a_setting() -> None:
    part = PAGE.read_text().partition("<!-- settings -->")[2].partition("<!-- end -->")[0]
    variables = re.findall(r"^\| `\w+` \| `(POOLDECK_\w+)`", part, re.MULTILINE)

    assert len(variables) > 50
    check_variables(dict.fromkeys(variables, "1"))


def test_the_variables_of_our_own_are_in_the_reference() -> None:
    part = PAGE.read_text().partition("### Variables that are no settings")[2]

    assert {name for name in _OURS if f"`{name}`" not in part} == set()


class Bare(BaseModel):
    """A table below."""

    name: str = ""


class NoWords(BaseModel):
    """Settings."""

    depth: Annotated[int, unit("levels")] = 1


class NoWordsBelow(BaseModel):
    """Settings."""

    below: dict[str, Bare] = Field(default={}, description="Tables.")


class NoDocstring(BaseModel):
    pass


class NoWordsOfATable(BaseModel):
    """Settings."""

    below: NoDocstring | None = None


class NoUnit(BaseModel):
    """Settings."""

    depth: int | None = Field(default=None, description="How deep.")


class OnlyADefault(BaseModel):
    """Settings."""

    pace: Annotated[float, unit("")] | None = Field(default=None, description="Default: as it is.")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (NoWords, r"^depth has no words"),
        (NoWordsBelow, r"^below\.NAME\.name has no words"),
        (NoWordsOfATable, r"^NoDocstring has no words"),
        (NoUnit, r"^depth has no unit"),
        (OnlyADefault, r"^pace has no words"),
    ],
)
def test_a_setting_without_words_or_a_number_without_unit_is_refused(
    settings: type[BaseModel], said: str
) -> None:
    with pytest.raises(UndescribedError, match=said):
        sections(settings)


class Twice(BaseModel):
    """Settings."""

    name: str = Field(default="a", description="A name. Default: b.")


def test_a_default_that_is_said_beside_the_one_that_counts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"two defaults: b\. and a"):
        sections(Twice)


class Described(BaseModel):
    """Settings."""

    rest_seconds: float = Field(default=1.5, description="A rest.")
    pens_per_desk: Annotated[int, Field(ge=1)] | None = Field(default=None, description="A.")
    is_on: bool = Field(default=True, description="On.")
    pause: Annotated[float, unit("hours")] | Literal["never", "auto"] = Field(
        default="auto", description="A pause."
    )
    room: Annotated[int, Field(ge=0, le=9), unit("seats")] | None = Field(
        default=None, description="A room. Default: as many as come."
    )


def test_a_unit_is_that_of_the_name_unless_it_is_declared() -> None:
    rows = sections(Described).splitlines()[-5:]

    assert rows == [
        "| `rest_seconds` | `POOLDECK_REST_SECONDS` | number | `1.5` | seconds | A rest. |",
        "| `pens_per_desk` | `POOLDECK_PENS_PER_DESK` | whole number from 1 | none | pens | A. |",
        "| `is_on` | `POOLDECK_IS_ON` | `true` or `false` | `true` |  | On. |",
        "| `pause` | `POOLDECK_PAUSE` | number or `never` or `auto` | `auto` | hours | A pause. |",
        "| `room` | `POOLDECK_ROOM` | whole number, 0 to 9 | as many as come | seats | A room. |",
    ]
