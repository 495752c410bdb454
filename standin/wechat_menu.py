"""The official account's menu at the WeChat stand-in: created whole, read, deleted, with WeChat's limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from standin.accounts import Accounts, Refused

if TYPE_CHECKING:
    from standin.wechat import WechatStandIn

MOST_BUTTONS, MOST_SUB_BUTTONS = 3, 5
LONGEST_NAME, LONGEST_SUB_NAME, LONGEST_KEY = 16, 60, 128
"""Names are counted in bytes of UTF-8."""
NEEDS = {"click": ("key",), "view": ("url",), "miniprogram": ("url", "appid", "pagepath")}


class WechatMenu:
    """One menu, or none."""

    def __init__(self) -> None:
        self.menu: dict[str, Any] | None = None

    def add_to(self, standin: WechatStandIn) -> None:
        """Serve the menu's endpoints."""
        standin.app.add_routes(
            [
                web.post("/cgi-bin/menu/create", standin.called(self._create)),
                web.get("/cgi-bin/menu/get", standin.called(self._get)),
                web.get("/cgi-bin/menu/delete", standin.called(self._delete)),
                web.get("/cgi-bin/get_current_selfmenu_info", standin.called(self._current)),
            ]
        )

    async def _create(self, request: web.Request, caller: Accounts) -> dict[str, Any]:
        try:
            menu = json.loads(await request.read())
        except ValueError:
            raise Refused(47001, "data format error") from None
        buttons = menu.get("button") if isinstance(menu, dict) else None
        if not isinstance(buttons, list) or not 1 <= len(buttons) <= MOST_BUTTONS:
            raise Refused(40017, "invalid button count")
        for button in buttons:
            _check(button, LONGEST_NAME)
        self.menu = {"button": buttons}
        return {"errcode": 0, "errmsg": "ok"}

    async def _get(self, request: web.Request, caller: Accounts) -> dict[str, Any]:
        if self.menu is None:
            raise Refused(46003, "menu no exist")
        return {"menu": {"button": [_told(one) for one in self.menu["button"]], "menuid": 208396938}}

    async def _delete(self, request: web.Request, caller: Accounts) -> dict[str, Any]:
        self.menu = None
        return {"errcode": 0, "errmsg": "ok"}

    async def _current(self, request: web.Request, caller: Accounts) -> dict[str, Any]:
        return {"is_menu_open": int(self.menu is not None), "selfmenu_info": self.menu or {}}


def _check(button: Any, longest: int) -> None:
    if not isinstance(button, dict) or not isinstance(button.get("name"), str) or not button["name"]:
        raise Refused(40018, "invalid button name")
    if len(button["name"].encode()) > longest:
        raise Refused(40018, "invalid button name size")
    below = button.get("sub_button")
    if below:
        if longest == LONGEST_SUB_NAME or not 1 <= len(below) <= MOST_SUB_BUTTONS:
            raise Refused(40023, "invalid sub button count")
        for one in below:
            _check(one, LONGEST_SUB_NAME)
        return
    if button.get("type") not in NEEDS:
        raise Refused(40016, "invalid button type")
    if any(not button.get(name) for name in NEEDS[button["type"]]):
        raise Refused(40019, "invalid button key size")
    if len(button.get("key", "").encode()) > LONGEST_KEY:
        raise Refused(40019, "invalid button key size")


def _told(button: dict[str, Any]) -> dict[str, Any]:
    """As WeChat tells it: every button has its list of sub buttons, empty or not."""
    return {**button, "sub_button": [_told(one) for one in button.get("sub_button", [])]}
