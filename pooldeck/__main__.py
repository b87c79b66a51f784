"""`python -m pooldeck`: the same as the command `pooldeck`.

The library does not import the server: its launcher takes this process over.
"""

from runpy import run_module

run_module("pooldeck_server", run_name="__main__")
