"""What every page in Airflow's UI is looked at for, and the pictures of them for the documentation.

With ``UI_PICTURES=docs/images`` the tests that need a browser write these.
"""

from __future__ import annotations

import os
import time
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .browser import Page

#: Page → its picture's name, and the scheme that it shows.
_PICTURES = {
    "airflow Replicas": ("ui-replicas", "light"),
    "airflow judge": ("ui-task", "light"),
    "drills": ("ui-drills", "light"),
    "evidence": ("evidence", "light"),
    "costs": ("ui-costs", "dark"),
}
#: The evidence is long: of it up to the third heading.
_END = {"evidence": "document.querySelectorAll('h2')[2].getBoundingClientRect().top - 10"}
_PHONE = 390
_WIDE = 1200

#: Whatever a keyboard must be able to reach: links, and what has to be scrolled. What a frame shows
#: is behind the first link to a file as well.
_REACHABLE = "[...document.querySelectorAll('a[href], .wide')]"
_FOCUSED = f"{_REACHABLE}.indexOf(document.activeElement)"
_HAS_OUTLINE = """
(() => { const style = getComputedStyle(document.activeElement);
         return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1; })()
"""


def ways_to_look(page: Page, name: str, *, only_pictures: bool = False) -> None:
    """Light and dark, on a phone and on paper."""
    for scheme in ("light", "dark"):
        page.show_as(scheme=scheme, width=_WIDE)
        _picture(page, name, scheme)
        if not only_pictures:
            contrast, where = page.least_contrast()
            assert contrast >= 4.5, (name, scheme, where)
    if only_pictures:
        return
    for width, media in ((_PHONE, ""), (680, "print")):
        page.show_as(width=width, media=media)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, media)
    page.show_as(width=_WIDE)


def tab_through(page: Page) -> None:
    """With the tabulator alone everything is reached, in order, and one sees where one is."""
    page.evaluate("document.activeElement.blur()")
    wanted = page.evaluate(f"{_REACHABLE}.length")
    reached: list[int] = []
    while len(reached) < wanted + 5:
        page.press_tab()
        place = page.evaluate(_FOCUSED)
        if place < 0 or (reached and place <= reached[-1]):
            break
        reached.append(place)
        assert page.evaluate(_HAS_OUTLINE), place
    assert reached == list(range(wanted)), (reached, wanted)


def _picture(page: Page, name: str, scheme: str) -> None:
    directory = os.environ.get("UI_PICTURES")
    picture, shown = _PICTURES.get(name, ("", ""))
    if directory and picture and shown == scheme:
        time.sleep(3)  # What frames show is another process's, which tells nothing here.
        height = page.evaluate(_END[name]) if name in _END else None
        (Path(directory) / f"{picture}.png").write_bytes(b64decode(page.screenshot(height)))
