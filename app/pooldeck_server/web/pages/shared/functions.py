"""Registered functions as several screens use them: by name."""

from pooldeck_server.domain.errors import NotFound, UnknownFunction
from pooldeck_server.domain.functions.catalogue import Catalogue, RegisteredFunction


def registered(catalogue: Catalogue, name: str) -> RegisteredFunction:
    """Return a function.

    Raises:
        NotFound: If there is none of that name: there is no page of it.
    """
    try:
        return catalogue.get(name)
    except UnknownFunction as error:
        raise NotFound(error.detail) from None
