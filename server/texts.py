"""Texts: every Chinese sentence a user sees, each in one place.

Placeholders in braces are filled from what the raiser knows; a sentence never names a fen but yuan.
"""

from __future__ import annotations

from collections.abc import Mapping

REFUSALS: Mapping[str, str] = {
    "illegal_move": "当前状态不能进行此操作，请刷新后再试",
    "not_permitted_now": "当前状态下不能进行此操作",
    "unknown_industry": "行业代码“{code}”无法对应到中小企业划型标准中的行业，请核对国民经济行业分类代码",
    "figure_missing": "“{industry}”划型需要{figure}，请补充",
}
"""The sentence of each refusal, by the code of its class."""

FIGURES: Mapping[str, str] = {
    "headcount": "从业人员",
    "revenue": "营业收入",
    "assets": "资产总额",
}
"""The three figures of the size standard."""

SIZE_CLASSES: Mapping[str, str] = {
    "micro": "微型",
    "small": "小型",
    "medium": "中型",
    "large": "大型",
}
SIZE_INDUSTRY = "行业代码 {code} 适用{industry}标准（{article}）"
SIZE_LINE = "{line}企业须同时达到：{comparison}"
SIZE_CONCLUSION = "结论：{size}企业"
UNIT_PERSONS = "人"
UNIT_WAN = "万元"
AND = "，且"
