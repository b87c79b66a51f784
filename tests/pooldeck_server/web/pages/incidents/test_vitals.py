"""The charts of a worker's last minute."""

from pooldeck_server.domain.failures.incidents import VitalSample
from pooldeck_server.web.pages.incidents.vitals import HEIGHT, WIDTH, vital_charts


def test_memory_and_cpu_are_drawn_up_to_the_end() -> None:
    found = vital_charts([VitalSample(60.0, 50 << 20, 0.0), VitalSample(30.0, 100 << 20, 50.0)])
    assert found is not None
    memory, cpu = found.charts
    assert memory.path == f"M0.0,{HEIGHT - (HEIGHT - 2) / 2:.1f}L{WIDTH / 2:.1f},2.0"
    assert (memory.top, memory.last) == ("100 MiB", "100 MiB")
    assert (cpu.top, cpu.last) == ("100 %", "50 %")
    assert (found.seconds, found.before) == ("1 min 0 s", "30 s")


def test_one_look_makes_no_chart() -> None:
    assert vital_charts([VitalSample(1.0, 1, 1.0)]) is None
    assert vital_charts([]) is None


def test_a_worker_that_used_nothing_has_a_flat_line() -> None:
    found = vital_charts([VitalSample(2.0, 0, 0.0), VitalSample(0.0, 0, 0.0)])
    assert found is not None
    assert found.charts[0].path == f"M0.0,{HEIGHT:.1f}L{WIDTH:.1f},{HEIGHT:.1f}"
