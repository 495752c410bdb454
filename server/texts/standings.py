"""Qualifications, conditions, providers' standing, bans and grades."""

from __future__ import annotations

from collections.abc import Mapping

STANDING_REFUSALS: Mapping[str, str] = {
    # qualifications and the blocklist
    "programme_not_running": "“{programme}”目前不在有效期内，不能提交；已保存的内容仍在，请留意主管部门通知",
    "already_applied": "已经提交过申请，请勿重复提交；审核进度和有效期请在“我的资格”查看，临近到期时可以续期",
    "conditions_unmet": "有 {count} 项条件尚未满足，不能通过",
    "labels_unknown": "本项目没有这些企业标识：{names}",
    "reason_missing": "请填写理由",
    "qualification_moved_on": "该申请的状态刚刚发生变化，请刷新后再试",
    "ban_period_impossible": "结束时间须晚于开始时间",
    "ban_already_lifted": "该条记录已经解除",
    "ties_unusable": "申报的关联信息有 {count} 处需要修改",
    "grades_not_here": "“{programme}”不对服务机构评级",
    "grade_unusable": "评级须为其一：{grades}，年度须为 {year} 或上一年度",
    "grade_under_way": "该服务机构本年度的评级正在审核",
    "grade_not_returnable": "评级建议不能退回修改：请予以同意，或不予同意后重新提出",
    "price_reason_missing": "价格与同类相比偏高，请说明理由",
    # suspending and removing providers
    "ground_unknown": "管理办法未规定以此为由停用或清退服务机构，可用的依据：{known}",
    "not_yours_to_hold": "依此条款，由{names}办理",
    "ceiling_holds": "管理办法没有规定可由主管部门批准突破的这一收券上限",
    "ceiling_not_raised": "批准的上限 {asked} 元须高于原上限 {most} 元",
    "suspension_past": "暂停的截止时间须晚于现在",
    "suspension_over": "该服务机构目前没有被暂停",
    "removed_otherwise": "服务机构的清退须按规定程序办理：请先行暂停，并提出清退",
    "removal_under_way": "该服务机构的清退正在办理",
    "removal_not_returnable": "清退建议不能退回修改：请予以认定，或不予认定后重新提出",
    "not_readmitted": "“{name}”已被清退，限制期内不得重新申报",
}

CONDITION: Mapping[str, str] = {
    "registered_in": "注册地为{area}，须为{wanted}",
    "without": "（不含{names}）",
    "legal_form_in": "为{form}，须为{wanted}",
    "industry_in": "行业代码 {code}，须属于：{wanted}",
    "months_at_least": "成立 {own} 个月 < {months} 个月（{from_day} 起满足）",
    "months_at_most": "成立于 {start}，{months} 个月至 {last_day} 止",
    "label_required": "须具备其一：{names}",
    "label_excluded": "现有：{names}",
    "claimed": "自报的{names}未获认定，须在名单上：{lists}",
    "declared": "填报为“{own}”，须为“{wanted}”",
    "barred": "自 {start} 至 {end}，依据{clause}",
    "violations": "违规年度：{years}",
    "operator": "申请单位即为服务券运营单位",
}
"""The comparison behind a condition that is not met."""

GRADE_TITLE = "服务机构评级：{name}（{year} 年度，{grade}）"
GRADE_STEP = "服务机构评级"
GRADE_CHECK = "履约和评价数据与提出评级时一致"
REMOVAL_TITLE = "清退服务机构：{name}"
REMOVAL_CHECK = "该服务机构目前具有可以终止的资格"

READINESS: Mapping[str, str] = {
    "not_qualified": "尚未申请本项目的用券资格",
    "qualification_pending": "用券资格正在审核",
    "qualification_refused": "用券资格审核未通过",
    "qualification_revoked": "用券资格已被取消",
    "qualification_expired": "用券资格已到期，请续期",
    "qualification_suspended": "资格已被暂停",
    "qualification_delisted": "已被清退，不再具有资格",
    "barred": "企业在限制名单中",
    "no_tier": "没有适用于本企业的额度档次",
    "quota_used": "本年度额度已经用完",
}
"""What stands between an enterprise and a voucher, by code."""

PROVIDER_STANDING: Mapping[str, str] = {
    "not_qualified": "“{name}”不是本项目的服务机构",
    "provider_pending": "“{name}”的服务机构资格正在审核",
    "provider_refused": "“{name}”的服务机构资格审核未通过",
    "provider_revoked": "“{name}”的服务机构资格已被取消",
    "provider_expired": "“{name}”的服务机构资格已到期，续期前不能新办业务",
    "provider_suspended": "“{name}”的服务机构资格已暂停",
    "provider_delisted": "“{name}”已被清退",
    "barred": "“{name}”在限制名单中",
}
"""What keeps a provider from something, by code."""

PROVIDER_ACTS: Mapping[str, str] = {
    "publish": "发布服务产品",
    "take_orders": "承接新订单、签订合同",
    "finish_orders": "继续履行已签订的合同",
    "settle": "申请兑付",
}
"""What a provider does, by code."""

STANDINGS: Mapping[str, str] = {"enterprise": "用券资格", "provider": "服务机构资格"}
"""What an approval is called in a message, by party."""

NEXT_STEPS: Mapping[str, str] = {
    "enterprise": "服务券发放时可以在本小程序领取；领取后请在期限内选择服务机构下单、签订合同，按规定使用。",
    "provider": "账号已经开通，可以为持券企业提供服务，请按规定办理业务。",
}
"""What an approval lets a party do, and how to go on."""
