"""`pooldeck backup` and `pooldeck restore`: copies of the database, with or without a server.

They read and write files of this machine and ask no server: a backup is also possible where none
runs, and can be put back only there.

0  done
1  not done; one line says why
2  wrong arguments or settings
"""

import os
from pathlib import Path
from time import gmtime, strftime
from typing import Annotated

import msgspec
import typer

from pooldeck_server.command_line.options import AsJson, Config, Data, in_words, place, print_json
from pooldeck_server.domain.clock import SystemClock
from pooldeck_server.domain.copies import NAME, Copied
from pooldeck_server.domain.errors import CopyError
from pooldeck_server.settings import read_settings

_MIB = 1024 * 1024


@in_words()
def backup(
    file: Annotated[str, typer.Argument(help="where to; in a folder it gets a name with the time")],
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Copy the database to a file, check the copy, and say what is in it.

    A server that uses the database goes on meanwhile.
    """
    from pooldeck_server.store.copies import Copying, yield_to_others  # noqa: PLC0415  (slow to import)

    database = read_settings(place(data, config)).database
    target = Path(file)
    if target.is_dir():
        target /= strftime(NAME, gmtime())
    elif file.endswith(os.sep):
        raise CopyError(f"there is no folder {file}; make it first")
    yield_to_others()
    copied = Copying(database, target, rests=True).make()
    if as_json:
        print_json(copied)
        return
    _print(f"{copied.path}: {_counted(copied)}, checked, in {copied.seconds:.1f} s")


@in_words()
def restore(
    file: Annotated[Path, typer.Argument(help="the backup")],
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup into the place of the database, and keep what was there beside it.

    No server may run there. What waited in the backup may have run since: the next server starts
    nothing until somebody says whether those tasks run or are lost.
    """
    from pooldeck_server.store.putting_back import put_back  # noqa: PLC0415  (slow to import)

    database = read_settings(place(data, config)).database
    copied, before = put_back(file, database, SystemClock())
    if as_json:
        print_json({**msgspec.to_builtins(copied), "before": before and str(before)})
        return
    _print(f"{copied.path}: {_counted(copied)}, checked")
    if before is not None:
        _print(f"what was there before is kept as {before}")
    if copied.waiting:
        _print(
            f"{copied.waiting} of its tasks had not ended when the backup was made, and may have "
            "since: the next server starts nothing until you say on its page /restored, or by "
            "POST /api/v1/restored, whether they run or are lost"
        )


def _counted(copied: Copied) -> str:
    tasks = f"{copied.tasks:,} task{'' if copied.tasks == 1 else 's'}"
    return f"{tasks} ({copied.waiting:,} not ended), {copied.bytes / _MIB:.1f} MiB"


def _print(text: str) -> None:
    print(text)  # noqa: T201  (the command's own voice)
