"""Dramatiq's side: the actor that its workers serve, and a client that sends to it in a loop."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.functions import noop

dramatiq.set_broker(RedisBroker(url=os.environ["REDIS_ADDRESS"]))
actor = dramatiq.actor(noop)


def send(number: int) -> None:
    """Send `number` calls, one after the other."""
    for _ in range(number):
        actor.send()
