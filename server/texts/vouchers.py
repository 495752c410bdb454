"""Budgets, rounds, grabs and applications, vouchers and what limits them."""

from __future__ import annotations

from collections.abc import Mapping

VOUCHER_REFUSALS: Mapping[str, str] = {
    # programmes
    "unknown_programme": "没有这个服务券项目或版本",
    # quotas, deductions and payments
    "quota_exceeded": "申领 {asked} 元超过可领取的 {most} 元",
    "price_unknown": "尚无可以计算补贴的金额",
    "contracts_paused": "预算剩余资金不足，暂停签订合同，落实资金后恢复",
    "budget_below_floor": "年度总额低于规定的最低发放金额",
    "step_out_of_turn": "请先完成：{next}",
    "not_your_step": "“{step}”由{actor}办理",
    "review_over": "本项审核已经结束",
    "not_your_review": "“{step}”由{actor}办理",
    "decided_before": "您已在本项审核中作出过决定，须由他人办理",
    # budgets and rounds
    "budget_exists": "“{programme}” {year} 年度的预算已经设立，请追加而不是重新设立",
    "budget_too_small": "年度预算可用 {free} 元，不足 {asked} 元",
    "round_window_impossible": "批次须先开始、后结束，且服务券有效期不得早于批次结束",
    "round_beyond_programme": "批次（{first} 至 {last}）超出了管理办法的有效期",
    "round_beyond_year": "批次（{first} 起，券有效期至 {last}）超出了 {year} 年度；当年未用完的额度不得结转",
    "round_not_for_this_programme": "“{programme}”不按批次发放服务券",
    "not_handed_back": "本项目的服务券不设主动退回",
    "nothing_to_hand_back": "这张券没有可退回的余额：已使用，或正冻结在订单上",
    "hand_back_too_late": "这张券已过退回时限（{at}），不能再退回",
    "voiding_clause_unknown": "“{given}”不是作废服务券的依据，请填写以下条款之一：{known}",
    "voiding_not_returnable": "作废报请不能退回修改：请核定，或不予核定后由运营方重新报请",
    "voucher_moved_on": "这张券刚刚发生了变化，请刷新后再试",
    "pool_exhausted": "批次余额 {left} 元，不够发放 {asked} 元",
    "pool_too_small": "批次余额 {left} 元，不能核减 {asked} 元；已发放的不能收回",
    "round_moved_on": "批次状态刚刚发生了变化，请刷新后再试",
    "round_ranked": "本批次已经排名并发放，不能重新开放",
    # applying in a round that is ranked
    "not_applied_for": "“{programme}”的服务券不以申领排名的方式发放",
    "applying_not_open": "申领尚未开始，请在 {retry_after} 秒后再来",
    "applying_closed": "本批次申领已经截止；本次填写的 {asked} 元未提交；此前的申领仍有效，请留意下一批次",
    "applying_paused": "本批次申领暂停，恢复时间请留意通知；此前已提交的申领不受影响",
    "request_key_reused": "这次请求的编号已用于其他操作，请重新提交",
    "application_withdrawn": "该申领已经撤回",
    "result_not_out": "结果将于 {day} 公布",
    # grabbing
    "round_sold_out": "本批次服务券已领完",
    "round_not_open": "抢券尚未开始，请在 {retry_after} 秒后再来",
    "round_paused": "本批次已暂停发放，恢复时间请留意通知",
    "round_closed": "本批次已结束",
    "not_entitled": "您的企业目前不能在本批次领取服务券",
    "quota_used": "您的企业本年度额度已经用完",
    "grab_key_reused": "这次请求的编号已用于其他批次，请重新点击抢券",
    "too_many_requests": "操作过于频繁，请在 {retry_after} 秒后重试",
    "try_again": "当前人数较多，请在 {retry_after} 秒后重试；您的请求没有丢失，重试不会重复领取",
    "receipt_invalid": "这份回执不是本系统出具的，或内容已被改动",
    # contracts, what vouchers pay on them, and who may have one for them
    "kind_unknown": "没有这个券种，或需要选择券种",
    "kind_not_announced": "“{kind}”由年度申报通知确定，{year} 年度的通知尚未发布",
    "kind_not_now": "该券种在 {first} 至 {last} 期间办理",
    "not_in_standing": "“{name}”目前不能办理此事项",
    "year_not_open": "{year} 年度的预算尚未设立",
    "nothing_to_pay": "服务券在此没有可抵用的金额",
    "contract_known": "编号为“{number}”的合同已经登记",
    "contract_not_signed": "合同“{number}”尚未签订或已经终止，须先签订合同",
    "period_not_open": "“{title}”目前不接受申请",
    "requested_already": "合同“{number}”已经申请过服务券",
    "request_moved_on": "该申请的状态刚刚发生变化，请刷新后再试",
    "amount_impossible": "核定金额应为大于零的整数，单位为分",
}

MOVEMENTS: Mapping[str, str] = {
    "issue": "发放服务券，来自“{round}”，面值 {amount} 元",
    "hold": "下单冻结 {amount} 元",
    "release": "订单取消或结清，解冻 {amount} 元",
    "redeem": "验收核销 {amount} 元",
    "take_back": "支付退回，{amount} 元恢复冻结",
    "disburse": "核销的 {amount} 元已拨付给服务机构",
    "return_disbursement": "银行退汇，{amount} 元待重新拨付",
    "claw_back": "已拨付的 {amount} 元被追回",
    "expire": "到期未用，{amount} 元失效",
    "reclaim": "逾期未办理，或所属订单已结束，收回 {amount} 元",
    "hand_back": "企业退回 {amount} 元",
    "void": "因违规作废 {amount} 元",
    "post_quota": "核定年度配额 {amount} 元",
    "return_expired": "失效的 {amount} 元退回年度资金",
    "return_reclaimed": "收回的 {amount} 元退回年度资金",
    "return_handed_back": "退回的 {amount} 元回到年度资金",
    "return_voided": "作废的 {amount} 元退回年度资金",
}
"""What a movement of money did to a voucher, by its code."""

VOUCHER_DEEDS: Mapping[str, str] = {
    "voucher.granted": "{who}领取，券号 {number}",
    "voucher.use_registered": "{who}登记使用，券号 {number}",
}
"""What else happened to a voucher, by the journal's word for it."""

LIMITS: Mapping[str, str] = {
    "quota": "年度额度",
    "per_round": "单批次上限",
    "provider": "服务机构收券上限",
    "project_cap": "单个项目上限",
    "contract_cap": "单个合同累计上限",
    "other_categories": "非重点类别合计",
    "budget": "年度预算",
    "kind_budget": "本券种年度资金",
}
"""What a limit is called."""

SHARE_BASES: Mapping[str, str] = {"year_total": "年度总额", "year_issued": "年度已发放额"}
ROOM = "{name} {ceiling} − 已用 {used} = {left}"
RAISED = "{name}（原则上 {most}，经批准）"
SHARE_OF = "{name}（{of} {total} × {rate}）"
FACE_VALUE = "{tier}面额 {amount}"
PART = "{rate} × {base} = {part}"
BALANCE = "余额 {amount}"
WANTED = "拟用 {amount}"
RESULT = "{sums} → {amount}"
FEE_BOUNDS = "{low} × {contract} = {least} 至 {high} × {contract} = {most}"

USES: Mapping[str, str] = {
    "uses_per_project": "每个服务项目最多使用 {most} 次服务券",
    "vouchers_per_order": "每笔订单最多使用 {most} 张服务券",
    "projects_per_contract": "每个合同最多包含 {most} 个服务项目",
}

NONE_LEFT = "本期余额 0.00 元 < {asked} 元"
REST_OF_PERIOD = "本期余额 {left} 元不足 {asked} 元，按余额发放"
PERIOD_LAPSED = "本期服务券的有效期已过，不再发放"
VOIDING_TITLE = "服务券作废：{number}"

VOIDING_CHECK = "服务券 {number}（面值 {amount} 元）可以作废"
"""What the system finds about a voucher that is to be voided."""

REQUEST_TITLE = "服务券申请：{project}（合同 {number}）"

REQUEST_CHECKS: Mapping[str, str] = {
    "contract_signed": "服务合同已经签订",
    "amount": "按合同和年度额度可用 {amount} 元",
}
"""What the system finds about a request for a voucher on a contract."""
