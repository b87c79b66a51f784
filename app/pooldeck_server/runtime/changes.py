"""What has changed on screen since it was drawn last: any part says so, the frames ask."""

import asyncio


class LiveChanges:
    """Whether the live picture has changed, and whether somebody waits to see the change.

    Attributes:
        are_there: Set as long as something has changed since the last frame.
        is_awaited: Whether the next look has to show it, however young the last frame is.
    """

    def __init__(self) -> None:
        self.are_there = asyncio.Event()
        self.is_awaited = False

    def mark_dirty(self) -> None:
        self.are_there.set()

    def invalidate(self) -> None:
        """Note that somebody has just changed the picture and wants to see it changed."""
        self.is_awaited = True
        self.are_there.set()
