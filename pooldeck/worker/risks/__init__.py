"""What can be seen in a function's code that its calls share: found by reading, never by running.

    function ──▶ sources: its part of the module's syntax tree
             ──▶ scopes: what its names stand for ──▶ process_wide, stateful: what that shares
             ──▶ reader: walks the tree; looking: then those of the helpers that it uses

Nothing of the user's is called on the way: names are looked up in the dictionaries of modules,
functions and classes. What only running would tell is left out, so that nothing seen proves
nothing.
"""

from pooldeck.worker.risks.looking import Seen, look
from pooldeck.worker.risks.sources import Sources

__all__ = ["Seen", "Sources", "look"]
