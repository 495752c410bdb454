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
    "complaint_not_in_your_hand": "该投诉不在您手中，请先领取，或由领取的同事办理",
    "complaint_own_answer": "投诉人对您的答复不满意，须由其他同事办理",
    "complaint_no_such_colleague": "该人员不能办理此投诉",
    "complainant_unnamed": "投诉人选择匿名，任何人不得查看其身份",
    "complainant_reason_missing": "查看投诉人身份须说明理由",
    "complaint_nobody_accused": "该投诉没有被投诉单位",
    "complaint_finding_missing": "请先作出属实或不属实的认定并说明理由，再答复",
    "complaint_nothing_above": "没有可以移交的上一级；独立信箱只能由投诉人本人选择",
    "complaint_hold_impossible": "该投诉不涉及订单，或订单的暂扣状态无须改变",
    "complaint_reveal_unread": "匿名投诉订单前，请先确认已知悉：{warning}",
    "rating_not_low": "只有差评可以一键转为投诉",
    "order_held": "订单 {number} 由监督部门暂扣，暂不办理兑付",
}

ORDER_HELD = "由监督部门暂扣"
ORDER_HELD_FOUND = "由监督部门暂扣，原因：投诉 {numbers} 经核实属实"
ORDER_HELD_OPEN = "由监督部门暂扣，投诉 {numbers} 正在核查"
"""What is read of a held order: by both sides, by them after the finding, by staff before it."""

COMPLAINT_MAY_REVEAL = "指明订单后，对方可能由订单推知投诉人是谁；平台和办理人员不会透露您的身份"
"""What whoever stays anonymous is told before a complaint that names an order is filed."""
COMPLAINT_STATUSES: Mapping[str, str] = {
    "filed": "待受理",
    "in_hand": "办理中",
    "answered": "已答复，待确认",
    "closed": "已办结",
    "withdrawn": "已撤回",
}
COMPLAINT_ENTRIES: Mapping[str, str] = {
    "filed": "提交投诉",
    "supplement": "补充情况",
    "urged": "催办",
    "received": "受理",
    "assigned": "转交办理",
    "released": "退回待领",
    "message": "办理人员来信",
    "request": "要求说明",
    "statement": "被投诉单位说明",
    "mediation": "调解",
    "note": "内部记录",
    "held": "暂扣订单",
    "hold_lifted": "解除暂扣",
    "finding": "核查认定",
    "proposed": "提请处理",
    "answer": "答复",
    "confirmed": "确认",
    "reopened": "要求重新办理",
    "rated": "评价办理",
    "withdrawn": "撤回",
    "handed_over": "移交",
    "half_way": "时限过半提醒",
    "overdue": "逾期",
    "closed_by_time": "到期办结",
}
COMPLAINT_AUTHORS: Mapping[str, str] = {"complainant": "投诉人", "accused": "被投诉单位", "clock": "系统"}
"""Who wrote an entry, where it was no member of staff; of those, the rung says it."""
LOW_RATING_STORY = "对订单 {number}（{project}）的评价为“{level}”。{tags}{words}"
"""A low rating as a complaint."""
