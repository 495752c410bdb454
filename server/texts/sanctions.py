"""Sanctions: decisions on breaches, what they do, money that is claimed back, appeals, payment holds."""

from __future__ import annotations

from collections.abc import Mapping

SANCTION_REFUSALS: Mapping[str, str] = {
    "payment_held": "该笔兑付已暂停：{reasons}",
}

HOLD_EVERY_ORDER = "全部订单"
"""What is held, where it is no single order."""
