"""The tests, laid out as the code: `pooldeck/pools/test_blame.py` tests `pooldeck.pools.blame`.

`served`, `faults`, `fuzz` and `browser` look at whole servers from outside; `project` at the
repository.
"""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
FUNCTIONS: Final = Path(__file__).parent / "functions"
"""What workers find on PYTHONPATH: the modules of functions that tests submit."""
