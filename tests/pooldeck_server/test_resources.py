"""Files beside the code are found, or their absence is said."""

import pytest

from pooldeck_server.domain.errors import StartupError
from pooldeck_server.resources import resource


def test_the_migrations_are_found() -> None:
    assert (resource("migrations") / "env.py").is_file()


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(StartupError, match="no-such-folder is missing"):
        resource("no-such-folder")
