"""`python -m pooldeck_server`: the same as the command `pooldeck`."""

import sys

from pooldeck_server.launcher import main

sys.exit(main())
