"""An outbox: a task is submitted if and only if the transaction commits that asks for it.

The transaction writes a row beside its own. Afterwards a relay submits what the rows say, with the
id of each as its idempotency key, and then deletes them. Whatever dies in between, the next relay
does it once more, and the key makes one task of both.

A relay is a loop around `relay`, in a thread or a process of the app:

    while True:
        if not relay(sessions, client):
            time.sleep(1)
"""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import JSON, String, delete, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from pooldeck import Client
from pooldeck.client.errors import Refused
from pooldeck.client.names import name_of

_AT_ONCE = 500


class Base(DeclarativeBase):
    """The tables of the app."""


class OutboxTask(Base):
    """A task that is to be submitted; `refused` says why the server does not take it."""

    __tablename__ = "outbox"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    function: Mapped[str]
    args: Mapped[list[Any]] = mapped_column(JSON)
    kwargs: Mapped[dict[str, Any]] = mapped_column(JSON)
    refused: Mapped[str | None]


def outbox(function: str | Callable[..., Any], /, *args: Any, **kwargs: Any) -> OutboxTask:
    """Return the row that stands for a task: `session.add(outbox(send_mail, order.id))`."""
    return OutboxTask(id=str(uuid.uuid4()), function=name_of(function), args=args, kwargs=kwargs)


def relay(sessions: sessionmaker[Session], client: Client) -> int:
    """Submit what waits, up to 500 tasks; return how many there were.

    Raises:
        NotReachable: If no server answers; the rows stay.
    """
    waiting = read(sessions)
    refused = submit(waiting, client)
    forget(sessions, waiting, refused)
    return len(waiting)


def read(sessions: sessionmaker[Session]) -> Sequence[OutboxTask]:
    """Return what waits."""
    waiting = select(OutboxTask).where(OutboxTask.refused.is_(None)).limit(_AT_ONCE)
    with sessions(expire_on_commit=False) as session:
        return session.scalars(waiting).all()


def submit(waiting: Sequence[OutboxTask], client: Client) -> dict[str, str]:
    """Submit tasks; return, by their ids, why the server refuses some of them."""
    futures = {
        row.id: client.options(idempotency_key=row.id).submit(row.function, *row.args, **row.kwargs)
        for row in waiting
    }
    refused = {}
    for key, future in futures.items():
        try:
            future.stored()
        except Refused as error:
            refused[key] = str(error)
    return refused


def forget(
    sessions: sessionmaker[Session], submitted: Sequence[OutboxTask], refused: dict[str, str]
) -> None:
    """Delete the rows of what the server has, and note what it refuses, for somebody to look at."""
    stored = [row.id for row in submitted if row.id not in refused]
    with sessions.begin() as session:
        session.execute(delete(OutboxTask).where(OutboxTask.id.in_(stored)))
        for key, why in refused.items():
            session.execute(update(OutboxTask).where(OutboxTask.id == key).values(refused=why))
