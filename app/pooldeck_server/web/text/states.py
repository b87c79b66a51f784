"""The words for states, of tasks and of pools, workers and slots: as static/js/state_words.js."""

from typing import Final

from pooldeck_server.web.text.i18n import _, later

_WORDS: Final = {
    "scheduled": later("scheduled"),
    "queued": later("queued"),
    "running": later("running"),
    "succeeded": later("succeeded"),
    "failed": later("failed"),
    "cancelled": later("cancelled"),
    "lost": later("lost"),
    "idle": later("idle"),
    "busy": later("busy"),
    "asked": later("asked to end"),
    "abandoned": later("abandoned"),
    "spare": later("spare"),
    "starting": later("starting"),
    "stopping": later("stopping"),
    "dead": later("dead"),
    "crashed": later("crashed"),
    "paused": later("paused"),
    "draining": later("draining"),
    "stopped": later("stopped"),
    "broken": later("broken"),
    "ready": later("ready"),
    "attached": later("attached"),
    "no_contact": later("no contact"),
    "gone": later("gone"),
    "refused": later("refused"),
}


def state_word(state: str) -> str:
    return _(_WORDS.get(state, state))
