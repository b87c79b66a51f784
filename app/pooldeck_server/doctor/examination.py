"""The examination: one look after the other, whatever any of them meets."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

from msgspec import Struct

from pooldeck_server.doctor import (
    clock,
    configuration,
    database,
    disk,
    hosts,
    limits,
    modules,
    network,
    versions,
)
from pooldeck_server.doctor.findings import CheckResult, Level, look
from pooldeck_server.settings import Settings

Look: TypeAlias = Callable[[], Iterable[CheckResult]]
_DATA: Final = Path("pooldeck-data")
_DATABASE: Final = "pooldeck.sqlite3"


class Report(Struct, frozen=True):
    """All that was found; `level` is that of the worst."""

    level: Level
    findings: tuple[CheckResult, ...]


def examine(place: dict[str, Any], url: str | None = None) -> Report:
    """Return what is found of an installation; `place` is what was given of data and config."""
    settings, findings = configuration.read(place)
    looks: list[Look] = [
        versions.look_at,
        *_of_settings(settings, Path(place.get("data") or _DATA)),
        partial(network.look_at, settings, url),
    ]
    for each in looks:
        findings += _guarded(each)
    worst = max((finding.level for finding in findings), key=lambda level: level.exit_code)
    return Report(worst, tuple(findings))


def _of_settings(settings: Settings | None, data: Path) -> list[Look]:
    """Return the looks that need settings; where these are wrong, those that do without."""
    if settings is None:
        place = data / _DATABASE
        return [partial(disk.look_at, data), partial(database.look_at, place)]
    return [
        partial(limits.look_at, settings),
        partial(disk.look_at, settings.data),
        partial(database.look_at, settings.database),
        partial(clock.look_at, settings.database),
        partial(disk.look_at_backups, settings),
        partial(modules.look_at, settings),
        partial(hosts.look_at, settings),
    ]


def _guarded(each: Look) -> Iterator[CheckResult]:
    """Yield what a look finds; one that fails is a finding of its own."""
    try:
        yield from each()
    except Exception as error:  # noqa: BLE001 - whatever is broken, the others are looked at
        target = getattr(each, "func", each)
        topic = target.__module__.rpartition(".")[2]
        words = f"{type(error).__name__}: {error}"
        yield look(topic, f"could not be looked at ({words})", "say so in an issue, with this line")


def in_lines(report: Report) -> Iterator[str]:
    """Yield a line for each finding, with what to do below it, and a summary."""
    width = max(len(finding.topic) for finding in report.findings)
    for finding in report.findings:
        yield f"{finding.level:<5}  {finding.topic:<{width}}  {finding.text}"
        if finding.mend:
            yield f"{'':<{7 + width}}  -> {finding.mend}"
    yield _summary(report.findings)


def _summary(findings: Sequence[CheckResult]) -> str:
    numbers = [sum(finding.level is level for finding in findings) for level in Level]
    words = ("ok", "to look at", "wrong")
    return ", ".join(f"{number} {word}" for number, word in zip(numbers, words, strict=True))
