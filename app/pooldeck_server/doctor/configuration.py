"""Whether the settings can be read, and what they say that has no effect or a bad one."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pooldeck.kinds import KINDS
from pooldeck_server.doctor.findings import CheckResult, look, ok, wrong
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.settings import BadSettings, Settings, read_settings

_TOPIC = "configuration"
_FILE = Path("pooldeck.toml")


def read(place: dict[str, Any]) -> tuple[Settings | None, list[CheckResult]]:
    """Return the settings, None where they cannot be used, and what is to be said of them."""
    try:
        settings = read_settings(place)
    except BadSettings as error:
        mend = "change it where it is set; the server refuses to start with it"
        return None, [wrong(_TOPIC, problem, mend) for problem in error.problems]
    except StartupError as error:
        return None, [wrong(_TOPIC, str(error), "name one that is there, or leave --config out")]
    return settings, list(_look_at(settings))


def _look_at(settings: Settings) -> Iterator[CheckResult]:
    pools = ", ".join(
        f"{name} ({KINDS[pool.kind].counted(pool.slots)})" for name, pool in settings.pools.items()
    )
    file = settings.config or (_FILE if _FILE.is_file() else None)
    yield ok(_TOPIC, f"{file or 'defaults and variables, no pooldeck.toml here'}; pools {pools}")
    if not settings.functions and not settings.commands:
        yield look(
            _TOPIC,
            "no module of functions and no command is named here: nothing can be called of a "
            "server that is not started with --functions",
            "name modules by POOLDECK_FUNCTIONS, or by functions in pooldeck.toml",
        )
    yield from _open_file(file)
    for name, command in settings.commands.items():
        program, folder = command.run[0], getattr(command, "directory", None)
        found = shutil.which(program, path=None if os.sep not in program else os.environ["PATH"])
        if found is None and not (folder and (Path(folder) / program).is_file()):
            yield look(
                _TOPIC,
                f"the program {program} of [commands.{name}] is not on the PATH of this user",
                "install it, or name it by its path; its tasks are refused until then",
            )


def _open_file(file: Path | None) -> Iterator[CheckResult]:
    """Warn of a file with the token in it that others can read."""
    if file is None or not file.stat().st_mode & 0o044:
        return
    if any(line.lstrip().startswith("token") for line in file.read_text().splitlines()):
        yield look(
            _TOPIC,
            f"other users of this machine can read {file}, with the token in it",
            f"chmod go= {file}",
        )
