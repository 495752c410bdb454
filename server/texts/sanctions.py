"""Sanctions: decisions on breaches, what they do, money that is claimed back, appeals, payment holds."""

from __future__ import annotations

from collections.abc import Mapping

SANCTION_REFUSALS: Mapping[str, str] = {
    "ban_of_sanction": "该名单由处理案件决定，须通过申诉或解除该案件处理",
    "decided_by_sanction": "该项处理须由一人提出、另一人决定，请在“处理案件”中提出",
    "payment_held": "该笔兑付已暂停：{reasons}",
    "sanction_moved_on": "案件 {number} 刚刚有了新的进展，请刷新后再办理",
    "sanction_ground_unknown": "文件没有这一处理依据，请从以下依据中选择：{known}",
    "not_yours_to_propose": "该项处理由{names}提出",
    "not_yours_to_decide": "该项处理由{names}决定",
    "no_hold_at_once": "文件没有规定可以先行暂停，请等待决定",
    "sanction_under_way": "对 {name} 的同一事由正在处理，请勿重复提出",
    "sanction_scope_wrong": "以下编号不属于该单位在本项目中的订单或服务券：{ids}",
    "sanction_reduction_missing": "核减结算须指明一个订单和核减金额，金额不得超过该订单的服务券金额",
    "sanction_person_missing": "文件规定同时处理责任人，请填写责任人姓名和身份证件号码",
    "sanction_proposal_decided": "该处理建议已立案或已办结",
    "sanction_hearing_outstanding": "尚未听取当事人陈述申辩：请先通知并待其陈述或期满，或说明不听取的理由",
    "sanction_preview_stale": "案件 {number} 的处理范围已有变化，请重新查看处理预览后再决定",
    "sanction_heard_already": "案件 {number} 已通知陈述申辩，或已说明不听取的理由",
    "sanction_hearing_over": "案件 {number} 的陈述申辩期限已过",
    "sanction_appeal_too_late": "案件 {number} 的申诉期限已过",
    "sanction_appeal_under_way": "案件 {number} 已提出过申诉",
    "sanction_not_liftable": "文件没有规定该项处理可以解除；认为决定有误的，可以申诉",
    "sanction_nothing_to_refer": "该项处理没有规定移送",
    "sanction_referral_day": "移送日期 {day} 须在作出决定之后，且不晚于今天",
    "person_barred": "所填责任人已被限制申领",
    "recovery_moved_on": "追缴 {number} 刚刚有了新的进展，请刷新后再办理",
    "recovery_over": "追缴 {number} 已结清、核销或撤销",
    "recovery_receipt_too_much": "到账金额超过应缴金额，多出 {over} 元：{arithmetic}",
    "recovery_receipt_known": "流水号 {reference} 已登记过",
    "recovery_receipt_day": "到账日期 {day} 须在拨付之后，且不晚于今天",
    "recovery_offset_not_allowed": "平台未启用从后续兑付中抵扣追缴款",
    "recovery_kept_back": "付款批次正为追缴 {number} 抵扣 {kept} 元，请待回单登记或撤出该付款：{arithmetic}",
    "recovery_instalments_uneven": "分期合计 {asked} 元须等于尚欠本金 {owed} 元，日期须从今天起依次递增",
    "recovery_write_off_state": "追缴 {number} 的核销须先由一人提出，再由另一人决定",
    "recovery_nothing_owed_back": "追缴 {number} 没有应退还的款项",
    "recovery_return_asked": "追缴 {number} 的退还已登记待复核，或该流水号已登记过",
    "recovery_return_not_asked": "追缴 {number} 没有待复核的退还",
    "recovery_return_day": "退还日期 {day} 须在决定撤销之后，且不晚于今天",
    "recovery_not_demanded": "追缴 {number} 尚未发出通知书",
}

HOLD_EVERY_ORDER = "全部订单"
"""What is held, where it is no single order."""
SANCTION_UNDECIDED = "涉嫌违规，处理决定作出前暂停兑付"
SANCTION_IS_DECIDED = "已作出处理决定"
"""Why something is held until a decision, and let go with it."""
SANCTION_REASON = "{name}（{ground}；案件 {number}）"
SANCTION_ENDED_BEFORE = "此前已结束"
SANCTION_ORDER_ENDED = "订单已终止，占用金额已按规定退回"
SANCTION_VOUCHER_VOID = "服务券已作废"
SANCTION_SETTLEMENT_STOPPED = "兑付金额 {amount} 元已停止或核减"
SANCTION_PAID_BEFORE = "款项此前已付出，未能停止或核减"
SANCTION_NOT_DONE = "未执行：{reason}"
RECOVERY_RENEWED = "案件 {number} 的决定已撤销，同一笔资金改由本案追缴"
SANCTION_OWED_BACK = "决定撤销，已收的 {amount} 元应退还当事人"
"""What came of an effect of a decision."""
SANCTION_STATUSES: Mapping[str, str] = {
    "proposed": "待决定",
    "decided": "已处理",
    "dismissed": "不予处理",
    "withdrawn": "已撤回",
    "lifted": "已解除",
    "reversed": "已撤销",
}
MEASURES: Mapping[str, str] = {
    "void_vouchers": "服务券作废",
    "no_settlement": "不予结算",
    "reduce_settlement": "核减结算金额",
    "hold_settlement": "暂停兑付",
    "stop_transaction": "终止产品交易",
    "reclaim_vouchers": "退回服务券",
    "claw_back": "追缴资金",
    "cancel_eligibility": "取消领券、用券资格",
    "cancel_admission": "取消服务资格",
    "revoke_title": "取消称号",
    "bar": "不得再次申领",
    "bar_person": "责任人不得再次申领",
    "blocklist": "列入黑名单",
    "wider_ban": "限制其他政策支持",
    "announce": "公告",
    "bad_credit_record": "记入不良信用",
    "refer": "移送有关部门",
    "legal_liability": "依法追究责任",
}
"""What a sanction does, as people read it."""
RECOVERY_LINE = "订单 {number}：{amount} 元 × {rate} × {days} 天 = 加收 {surcharge} 元"
RECOVERY_SUM = "合计 {amount} 元"
RECOVERY_PART = "本金 {amount} 元 × {rate} × {days} 天 = 加收 {surcharge} 元"
RECOVERY_PAID = "抵本金 {principal} 元，抵加收 {surcharge} 元"
RECOVERY_NOTHING_OWED = "已结清、核销或撤销，无须再缴"
RECOVERY_BALANCE = "尚欠本金 {principal} 元，按 {rate} 计算加收 {surcharge} 元"
RECOVERY_LETTER: Mapping[str, str] = {
    "title": "财政补助资金追缴通知书",
    "footnote": "缴款请注明编号 {number}",
    "to": "{name}（统一社会信用代码 {uscc}）：",
    "says": (
        "经查，你单位存在“{ground}”的情形，已于 {decided} 依据《{programme}》{clause}作出处理决定"
        "（案件 {number}）。"
        "现追缴下列已拨付的财政补助资金："
    ),
    "columns": "订单编号|项目|应缴本金（元）|拨付日期|天数",
    "sum": (
        "本金合计 {principal} 元；自拨付之日起按 {rate} 计算加收（{rests_on}），至本通知之日为 "
        "{surcharge} 元；"
        "合计 {whole} 元。加收计算至实际缴回之日。"
    ),
    "until": "请于 {day} 前缴回，并在缴款附言中注明编号 {number}。逾期不缴的，将依法追缴。",
    "appeal": "对处理决定不服的，可以在决定告知的期限内提出申诉；申诉期间不停止追缴。",
    "from": "{name}",
}
"""The demand of what is to be paid back."""
BLOCKLIST_PAGE: Mapping[str, str] = {
    "title": "违规名单",
    "note": "名单只列生效中的处理决定；到期、解除或撤销后不再显示。",
    "nobody": "目前没有生效中的名单。",
    "columns": "单位|统一社会信用代码|责任人|事由|依据|起|止|限制范围",
    "for_good": "长期",
    "programmes": "项目",
}
"""The public page of who is on the list."""
