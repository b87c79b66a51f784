"""Errors as the API shows them."""

from msgspec import Struct


class Problem(Struct, frozen=True):
    """An error, as RFC 9457 has it. `code` is for programs and stays the same, `detail` for people.

    Further members depend on the code: `field` (a JSON pointer into the body), `argument`,
    `parameter` (of the query), `position` (a byte), `index` (of a batch's task), `id` (of an
    internal error, as in the server's log).
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
