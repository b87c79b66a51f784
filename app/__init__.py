"""The source root of the server: a folder to look for `pooldeck_server` in, and no package.

A checkout has both its top and this folder on the import path. Without this refusal every module
of the server could be imported a second time, as `app.pooldeck_server...`, with a second copy of
its classes and its state.
"""

raise ImportError("`app` is a folder of the checkout and no package: import pooldeck_server")
