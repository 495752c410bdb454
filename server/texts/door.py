"""The chat's door: what it says itself, before or instead of the conversation."""

from __future__ import annotations

from collections.abc import Mapping

DOOR_REFUSALS: Mapping[str, str] = {
    "callback_refused": "这不是微信平台发来的有效消息",
}

CHAT_TOO_FAST = "您发得太快了，后面几条没有收到。请稍等一会儿再发；已经收到的不用重发。"
CHAT_NOT_HEARD = "抱歉，您刚才发的内容没有处理成功，请再发一次；仍不行请回复“人工”，或拨打服务电话。"
