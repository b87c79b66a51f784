"""A form that was refused: what its page says first, and which of its fields is wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.web.text.formats import sentence


@dataclass(frozen=True)
class FormField:
    """A field of a form: the id of what is typed into, and what it is called."""

    id: str
    label: str


@dataclass(frozen=True)
class FormRefusal:
    """Why nothing was changed, and the field that it is about; None where it is about none."""

    control: FormField | None
    words: str

    def is_about(self, control: str) -> bool:
        """Tell whether this field is what is wrong."""
        return self.control is not None and self.control.id == control


def refusal(
    error: PooldeckError, controls: Mapping[str, FormField], otherwise: str = ""
) -> FormRefusal:
    """Return what an error says of a form.

    Args:
        error: What refused it: its words begin with the name of the field that they are about.
        controls: The fields of the form by such names.
        otherwise: The name of the field that is meant where the words name none.
    """
    names, colon, words = error.detail.partition(": ")
    name = re.split(r"[,/]", names)[0]
    if colon and name in controls:
        return FormRefusal(controls[name], sentence(words))
    return FormRefusal(controls.get(otherwise), sentence(error.detail))
