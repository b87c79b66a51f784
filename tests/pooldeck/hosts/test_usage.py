"""What a host says that its workers use."""

from pooldeck.hosts.usage import HostUsage
from pooldeck.hosts.wire import Sampled, WorkerSample


def test_cpu_is_told_between_two_samples_of_the_same_worker() -> None:
    times = iter([10.0, 12.0, 14.0])
    usage = HostUsage(clock=lambda: next(times))

    usage.take(Sampled([WorkerSample("w1", 3.0, 100)], 0.5, 7))
    assert (usage.load, usage.memory_used, usage.rss_bytes) == (0.5, 7, {"w1": 100})
    assert usage.cpu_percent == {}

    usage.take(Sampled([WorkerSample("w1", 4.0, 100), WorkerSample("w2", 9.0, 50)], 0.5, 7))
    assert usage.cpu_percent == {"w1": 50.0}

    usage.take(Sampled([WorkerSample("w2", 9.5, 50)], 0.5, 7))
    assert usage.cpu_percent == {"w2": 25.0}
