"""Whatever a server is sent: it answers as it says, lets nobody wait, and keeps no memory of it."""

import pytest

from tests.fuzz.effort import Effort
from tests.fuzz.target import Target
from tests.fuzz.trials import TRIALS, complaints


@pytest.mark.parametrize("name", TRIALS)
def test_nothing_that_is_sent_does_harm(target: Target, name: str) -> None:
    trial = TRIALS[name]
    assert complaints(target, trial, Effort(trial.few)) == []


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", TRIALS)
def test_nor_does_more_of_it(target: Target, name: str) -> None:
    trial = TRIALS[name]
    assert complaints(target, trial, Effort(trial.many, seed=1)) == []
