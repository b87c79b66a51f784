"""The program of a worker process: finds Pooldeck's own modules before any of the user's.

It is run by its path. `-m pooldeck.worker` would look on PYTHONPATH first, and there a folder of
the user's that is called `pooldeck`, or a `types.py`, would take the place of what is meant.
`process_state.open_import_path` puts PYTHONPATH first again, before user code is imported.
"""

import os
import sys


def own_path(path: list[str], pythonpath: str, root: str) -> list[str]:
    """Return an absolute import path with what PYTHONPATH put there at its end.

    `root`, the folder of the package `pooldeck`, comes first if only PYTHONPATH names it.
    """
    theirs = {os.path.abspath(entry) for entry in pythonpath.split(os.pathsep)}  # noqa: PTH100
    own = [entry for entry in path if entry not in theirs]
    if root not in own:
        own.insert(0, root)
    return own + [entry for entry in path if entry in theirs]


if __name__ == "__main__":
    if pythonpath := os.environ.get("PYTHONPATH"):
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
        sys.path[:] = own_path(sys.path, pythonpath, root)
    from pooldeck.worker.__main__ import run

    run()
