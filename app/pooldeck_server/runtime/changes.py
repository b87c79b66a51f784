"""What has changed on screen since it was drawn last: any part says so, the frames ask."""

import asyncio


class LiveChanges:
    """Whether the live picture has changed, and whether somebody waits to see the change."""

    def __init__(self) -> None:
        self.are_there = asyncio.Event()  # since the last frame
        self.is_awaited = False  # the next look has to show it, however young the last frame is

    def mark_dirty(self) -> None:
        self.are_there.set()

    def invalidate(self) -> None:
        """Note that somebody has just changed the picture and wants to see it changed."""
        self.is_awaited = True
        self.are_there.set()
