"""Actions as pages show them: each with its words."""

from dataclasses import dataclass

from pooldeck_server.domain.actions import Action
from pooldeck_server.web.text.actions import actor_words, change_words, deed_words


@dataclass(frozen=True)
class ActionRow:
    """An action with its words."""

    action: Action
    who: str
    deed: str
    changes: str


def action_row(action: Action) -> ActionRow:
    return ActionRow(action, actor_words(action), deed_words(action.deed), change_words(action))
