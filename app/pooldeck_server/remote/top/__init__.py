"""`pooldeck top`: the deck in a terminal.

    the server's stream → feed (a thread) → snapshot ─┐
    keys → screen (this thread) → state ──────────────┴→ view: lines → the terminal
                     ↓
              deeds, log (threads) → the server's API

Nothing here waits for the server but threads; what they have found wakes the screen.
"""
