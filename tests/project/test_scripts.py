"""The scripts of the pages fit together: where one name is missing, a page has none of them."""

import re

from tests import ROOT

SCRIPTS = ROOT / "static" / "js"
_DECLARED = re.compile(r"^export (?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)
_LISTED = re.compile(r"^export \{([^}]*)\}", re.MULTILINE)
_IMPORTED = re.compile(r"^import \{([^}]*)\} from \"\./([^\"]+)\"", re.MULTILINE)


def test_each_name_that_a_script_imports_is_exported() -> None:
    exported = {path.name: exports(path.read_text()) for path in SCRIPTS.glob("*.js")}
    missing = [
        f"{path.name} imports {name} from {module}"
        for path in sorted(SCRIPTS.glob("*.js"))
        for listed, module in _IMPORTED.findall(path.read_text())
        for name in names(listed, place=0)
        if name not in exported.get(module, set())
    ]

    assert len(exported) > 40
    assert missing == []


def exports(text: str) -> set[str]:
    listed = {name for each in _LISTED.findall(text) for name in names(each, place=-1)}
    return {*_DECLARED.findall(text), *listed}


def names(listed: str, place: int) -> list[str]:
    """Return names of a list, of those that are renamed the one before or after."""
    return [each.split(" as ")[place].strip() for each in listed.split(",") if each.strip()]
