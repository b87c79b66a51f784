"""The page of types says what is so: each row of its tables is run."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pooldeck.registered_types import REGISTERED
from pooldeck.worker.values.results import encode
from tests.support.typed import PAGE, write_tables


def test_the_tables_of_types_are_what_running_them_makes(tmp_path: Path) -> None:
    """`make types` writes them anew."""
    anew = tmp_path / "types.md"
    anew.write_text(PAGE.read_text())

    write_tables(anew)

    assert PAGE.read_text() == anew.read_text()


def test_the_example_of_a_type_of_ones_own_works() -> None:
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    code = source.replace("from shop import Money", "")

    class Money:
        def __init__(self, cents: int) -> None:
            self.cents = cents

    names: dict[str, Any] = {"Money": Money}
    try:
        exec(code, names)
        doubled: Callable[[Money], Money] = names["doubled"]
        assert encode(doubled(REGISTERED[Money].decode("3 ct")), 100, 8) == b'"6 ct"'  # type: ignore[misc]  # it is there
    finally:
        del REGISTERED[Money]
