"""Which tags there are."""

from sqlalchemy import Connection, func, select

from pooldeck_server.store.tables import task_tags


def tags(connection: Connection, start: str, limit: int) -> list[str]:
    """Return the first `limit` tags that begin with `start`, in alphabetical order.

    It takes one step in their index for each.
    """
    found: list[str] = []
    following = task_tags.c.tag >= start
    while len(found) < limit:
        tag = connection.scalar(select(func.min(task_tags.c.tag)).where(following))
        if tag is None or not tag.startswith(start):
            break
        found.append(tag)
        following = task_tags.c.tag > tag
    return found
