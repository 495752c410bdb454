"""The official account's menu at WeChat: what it shows, compared with what it should, and made so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from server.gateways.wechat_calls import WechatCalls, WechatRefused
from server.programme.chat_menu import Button
from server.rules.chat_messages import WechatAccount

NO_MENU = 46003
"""WeChat's word for an account that has no menu."""
_TOLD = ("type", "name", "key", "url", "appid", "pagepath")


async def create(menu: Sequence[Button], *, mini_appid: str, calls: WechatCalls) -> None:
    """Make WeChat show this menu. Raises what :meth:`WechatCalls.call` raises."""
    wanted = {"button": [one.as_wechat(mini_appid) for one in menu]}
    await calls.call("/cgi-bin/menu/create", wanted, account=WechatAccount.OFFICIAL)


async def compare(menu: Sequence[Button], *, mini_appid: str, calls: WechatCalls) -> list[str]:
    """What differs between this menu and what WeChat shows, a line each; nothing where they agree.

    Raises what :meth:`WechatCalls.call` raises.
    """
    try:
        shown = await calls.call("/cgi-bin/menu/get", account=WechatAccount.OFFICIAL)
    except WechatRefused as refused:
        if refused.errcode != NO_MENU:
            raise
        shown = {}
    wanted = list(_lines([one.as_wechat(mini_appid) for one in menu]))
    found = list(_lines(shown.get("menu", {}).get("button", [])))
    missing = [f"- {line}" for line in wanted if line not in found]
    other = [f"+ {line}" for line in found if line not in wanted]
    if not missing and not other and wanted != found:
        return ["The buttons stand in another order."]
    return missing + other


def _lines(buttons: Sequence[Any], above: str = "") -> Iterator[str]:
    """Every button in one line, whatever else WeChat tells about it."""
    for button in buttons:
        path = f"{above}{button.get('name', '')}"
        below = button.get("sub_button") or []
        told = " ".join(f"{name}={button[name]}" for name in _TOLD if button.get(name) and name != "name")
        yield f"{path}: {told}" if told else f"{path}:"
        # Some versions of WeChat's answer wrap the list once more.
        yield from _lines(below.get("list", []) if isinstance(below, dict) else below, f"{path} > ")
