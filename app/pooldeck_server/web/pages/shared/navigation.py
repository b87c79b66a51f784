"""Entries of the navigation: the screens that are one click, or two keys, away from any page."""

from dataclasses import dataclass

from fastapi import APIRouter

from pooldeck_server.web.text.i18n import _


@dataclass(frozen=True)
class Screen:
    """A screen: `name` is its icon's in static/img/icons.svg, `key` goes to it after a `g`."""

    router: APIRouter
    name: str
    path: str
    title: str
    key: str

    @property
    def label(self) -> str:
        return _(self.title)
