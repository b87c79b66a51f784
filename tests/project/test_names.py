"""Names: a class can be found by its own, since no other of its package has it."""

import re
from collections import Counter

import pytest

from tests import ROOT


@pytest.mark.parametrize("package", ["app/pooldeck_server", "pooldeck"])
def test_no_two_classes_of_a_package_share_a_name(package: str) -> None:
    sources = (path.read_text() for path in (ROOT / package).rglob("*.py"))
    names = (
        name for source in sources for name in re.findall(r"^ *class (\w+)", source, re.MULTILINE)
    )
    assert [name for name, number in Counter(names).items() if number > 1] == []
