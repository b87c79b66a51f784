"""The HTTP API, version 1."""

from typing import Final

PREFIX: Final = "/api/v1"
