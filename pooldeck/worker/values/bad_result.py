"""Why a result cannot be sent."""

from pooldeck.worker.failures import Misfit


class BadResult(Misfit):
    """A value that cannot be sent as JSON."""
