"""Reviews, public notices and objections."""

from __future__ import annotations

from collections.abc import Mapping

REVIEW_REFUSALS: Mapping[str, str] = {
    "review_not_returnable": "“{step}”为记录环节，不能退回修改",
    "review_record_incomplete": "办理“{step}”须填写{lacking}",
    "paid_by_batch": "“{step}”由付款批次凭银行回单登记，不能逐件手工办理",
    "step_not_at_hand": "此件目前不在“{kind}”环节，不能登记该结果",
    "selection_changed": "列表与您查看时不同（现有 {now} 件），未办理任何一件，请刷新后重新查看",
    "recused": "您已回避此件，不能办理或发表意见",
    "recused_before": "该人员已经回避此件",
    "inspection_values_unusable": "表单有 {count} 处不能这样填写",
    "no_form_here": "此件目前的环节不需要填写表单",
    "form_no_support": "“{step}”的表单不支持通过：{missing}",
    "stand_in_unusable": "代班人须为同一角色的其他在岗人员，期限从今天起、最长 {most} 天",
    "stand_in_named": "这些天中已有人代班，请先撤销",
    "review_not_askable": "本项审核没有可以由您提请的这一环节",
    "review_under_way": "该事项正在审核中，请勿重复提交",
    "case_moved_on": "您打开此件后，{who}于 {when} {what}，请刷新后再办理",
    "review_claimed": "{who}于 {when} 已领取此件，请等待其办理或释放；超过 24 小时未办理的，可以接手",
    "review_not_open": "此件目前{state}，暂不能办理",
    "correction_time_past": "补正期限至少须到明天",
    "opinion_given": "您已对此件出具过评审意见",
    "panel_too_small": "须有至少 {wanted} 名专家出具意见，目前 {given} 名",
    "own_review": "此件由您本人提出，或属于与您有关联的单位，须由他人办理",
    "notice_over": "此件不在公示期内",
    "not_your_objection": "按规定，本项公示由{who}提出异议",
    "objection_answered": "该异议已经答复",
    "search_too_short": "请至少输入 {least} 个字",
    "cursor_unusable": "续页标记与本次查找不符，请从第一页重新查找",
    "fee_out_of_bounds": "监理服务收益 {asked} 元不在允许的范围内",
}

REVIEW_STATUSES: Mapping[str, str] = {
    "open": "办理中",
    "returned": "已退回申请单位修改",
    "on_notice": "正在公示",
    "passed": "已通过",
    "refused": "未通过",
    "withdrawn": "已撤回",
}
"""The state of a case under review."""

REVIEW_DEEDS: Mapping[str, str] = {
    "opened": "提交了此件",
    "approved": "作出了通过的决定",
    "returned": "退回申请单位修改",
    "rejected": "作出了不通过的决定",
    "answered": "答复了公示异议",
    "objected": "提出了公示异议",
    "resubmitted": "修改后重新提交",
    "withdrawn": "撤回了申请",
    "recorded": "登记了办理结果",
    "not_drawn": "登记了抽查结果（未抽中）",
    "put_up": "将此件公示",
    "taken_down": "结束了公示",
}
"""What somebody did to a case meanwhile, by the journal's word for it."""

FORM_NONE = "尚未填写"
FORM_SAYS_NO = "审核意见不是“通过”"
FORM_LACKS = "缺少 {count} 项内容或签章"
"""Why a form supports no pass."""

REVIEW_WHO: Mapping[str, str] = {"person": "申请单位", "objector": "异议人", "clock": "系统"}
REVIEW_TURN_YOURS = "贵单位"
REVIEW_INSTANT = "%Y-%m-%d %H:%M"

REVIEW_KINDS: Mapping[str, str] = {
    "automatic": "系统核验",
    "pre_review": "初审",
    "review": "审核",
    "expert_review": "专家评审",
    "spot_check": "抽查复核",
    "site_inspection": "线下审核",
    "committee": "会议审议",
    "determination": "审定",
    "public_notice": "公示",
    "reconsideration": "异议复核",
    "filing": "备案",
    "announcement": "公告",
    "mark": "标记确认",
    "disbursement": "兑付",
    "archive": "存档",
}
"""What a kind of step is called."""

REVIEW_RECORD: Mapping[str, str] = {
    "score": "评分（0 至 100）",
    "held_on": "会议日期（不晚于今天）",
}
"""What a kind of step asks to be put down."""
