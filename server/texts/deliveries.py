"""Messages on their way: channels, what became of them, and what WeChat's codes mean."""

from __future__ import annotations

from collections.abc import Mapping

DELIVERY_REFUSALS: Mapping[str, str] = {
    "template_unknown": "没有“{template_id}”这个消息模板",
    "delivery_not_dead": "该消息不在未送达清单中，无需重发",
}

CHANNELS: Mapping[str, str] = {
    "subscribe": "小程序订阅消息",
    "template": "服务号模板消息",
    "custom": "客服消息",
    "sms": "短信",
    "inbox": "站内消息",
}
"""The channels, as a person calls them."""

FIELD_EMPTY = "无"
"""What a field of a template says that may only hold Chinese characters and has none."""

CHAT_REPLY_TITLE = "您的咨询有新回复"

DELIVERY_FAULTS: Mapping[str, str] = {
    "consent_spent": "用户未同意接收或同意次数已用完",
    "unsubscribed": "用户未关注服务号",
    "window_closed": "已超过客服消息的可发送时间或条数",
    "unusable": "微信不认识该用户",
    "token": "微信不接受访问凭证",
    "minute_quota": "已达每分钟发送上限",
    "day_quota": "已达当日发送上限",
    "busy": "微信系统繁忙",
    "faulty": "消息模板或内容不符合微信要求，请检查模板设置",
    "unknown": "微信返回了未知的错误码",
    "no_answer": "对方没有应答",
    "not_delivered": "微信报告未能送达",
}
"""Why a message has not arrived, by the code of the reason."""
