"""`python -m pooldeck`: the same as the command `pooldeck`."""

from pooldeck.launcher import main

main()
