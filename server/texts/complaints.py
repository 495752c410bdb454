"""Complaints: cases, their thread, the mailbox, and orders that are held."""

from __future__ import annotations

from collections.abc import Mapping

COMPLAINT_REFUSALS: Mapping[str, str] = {
    "complaint_empty": "请说明发生了什么",
    "complaint_too_long": "内容过长，最多 {most} 个字",
    "complaint_too_many_files": "一次最多附 {most} 个文件",
    "complaint_subject_unknown": "没有找到您投诉的订单、服务机构或批次",
    "complaint_moved_on": "该投诉刚刚有了新的进展，请刷新后再办理",
    "complaint_urged_already": "近期已催办过，请于 {again} 之后再催办",
    "complaint_window_over": "重新受理的期限已过，如有新情况请另行投诉",
    "complaint_in_mailbox": "该投诉已在独立信箱，由监督机关办理",
    "complainant_revealed": "内容会让他人识别投诉人，请删去姓名、电话或单位名称",
    "handling_level_unknown": "请从以下评价中选择：{levels}",
    "order_held": "订单 {number} 由监督部门暂扣，暂不办理兑付",
}

ORDER_HELD = "由监督部门暂扣"
ORDER_HELD_FOUND = "由监督部门暂扣，原因：投诉 {numbers} 经核实属实"
"""What both sides of an order read while it is held; the second one after the finding."""
