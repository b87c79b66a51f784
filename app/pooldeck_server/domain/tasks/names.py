"""Names as clients write them: bounded, and without control characters."""

from typing import Annotated, Final, TypeAlias

from msgspec import Meta

MAX_NAME_LENGTH: Final = 200
PRINTABLE: Final = r"^(?![\s\S]*[\x00-\x1f\x7f])"  # not [^...]*$: `$` lets a last newline pass

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_LENGTH, pattern=PRINTABLE)]
