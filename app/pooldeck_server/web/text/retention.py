"""How long tasks are kept, in words."""

from pooldeck_server.domain.retention import RetentionRules
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.states import state_word


def days_words(rules: RetentionRules, state: State) -> str:
    days: float = getattr(rules, state.value)
    number = f"{days:g}"
    return _("%(days)s days", days=number) if days else _("for ever")


def rules_words(rules: RetentionRules) -> list[tuple[str, str]]:
    """Return of each final state its word, and how long tasks in it are kept."""
    return [(state_word(state), days_words(rules, state)) for state in State if state in FINAL]
