"""The program that imports a module for the doctor, and reports what it found by a pipe.

Arguments: the pipe's descriptor, `module` or `initializer`, and the name.
"""

import importlib
import json
import os
import sys
import traceback
from pathlib import Path

if __name__ == "__main__":
    pipe, kind, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    from pooldeck.worker.functions import discovery

    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as text, where the workers look too
    try:
        if kind == "module":
            said: dict[str, object] = {"functions": len(discovery.functions_of(name))}
        else:
            discovery.resolve(name)
            said = {"functions": 0}
    except BaseException as error:  # noqa: BLE001 - whatever a module does
        frames = traceback.extract_tb(error.__traceback__)
        folders = (Path(module.__file__ or "").parent for module in (importlib, discovery))
        ours = ("<frozen", *map(str, folders))
        theirs = [frame for frame in frames[1:] if not frame.filename.startswith(ours)]
        place = f" ({theirs[-1].filename}:{theirs[-1].lineno})" if theirs else ""
        said = {"error": f"{type(error).__name__}: {error}"[:2000] + place}
    os.write(pipe, json.dumps(said).encode()[:60000])
    os._exit(0)
