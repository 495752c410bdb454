"""Orders: their steps, contracts and deliveries, what is paid for them, ratings."""

from __future__ import annotations

from collections.abc import Mapping

ORDER_REFUSALS: Mapping[str, str] = {
    # orders
    "order_moved_on": "订单刚刚有了变化：{what}。您的操作没有执行，请刷新后再看",
    "step_unmet": "“{step}”有 {count} 处需要处理：{first}",
    "step_done_already": "贵方已办理“{step}”，正在等待{actor}办理",
    "step_too_late": "“{step}”已于 {until} 截止，不能再办理",
    "nothing_to_send_back": "当前没有可以退回的步骤",
    "not_yours_to_open": "按规定由{by}发起，请联系对方",
    "offering_needed": "请先选择要购买的服务产品",
    "other_side_unknown": "没有找到统一社会信用代码为“{uscc}”的单位，请核对代码，或请对方先注册",
    "out_of_scope": "该服务不在服务券支持的范围内：{first}",
    "deal_forbidden": "双方之间的这项服务不能使用服务券：{first}",
    "order_unusable": "订单有 {count} 处需要修改：{first}",
    "voucher_unusable": "这张服务券现在不能用于本订单，请换一张，或不指定服务券",
    "wanted_too_much": "拟用券额 {asked} 元超过本次可用的 {most} 元，请调低后重试",
    "used_too_often": "“{project}”使用服务券的次数已到上限，不能再使用",
    "cannot_decline": "订单已在履行，不能单方拒绝；如不能履行，请双方申请取消",
    "not_yours_to_cancel": "按规定由{by}提出取消，请联系对方",
    "cancellation_incomplete": "取消申请有 {count} 处需要补充：{first}",
    "cancellation_asked_already": "贵方已提出取消申请，请等待对方或运营单位处理",
    "not_held_back": "该订单不需要核对，或已核对",
    "nothing_to_take_back": "贵方没有待处理的取消申请",
    "payment_not_returned": "该笔服务券支付不能退回：可能尚未支付、服务券已过期、已申请兑付，或应由对方提出",
    "payment_return_asked": "已经申请退回支付，请等待处理",
    # payments
    "payments_unavailable": "暂时无法连接微信支付，请在 {retry_after} 秒后重试",
    "payment_notice_refused": "支付通知无法核验",
    "online_payment_off": "本款项不能在线支付，请通过银行转账并上传回单",
    "nothing_to_pay_now": "当前没有这项应付款，或已经支付，请刷新后再试",
    "no_wechat_account": "本账号没有微信身份，不能在线支付",
    "paper_used_before": "{name}的号码已用于订单 {order}，同一份凭证只能使用一次",
    "paper_is_summary_invoice": "{name}的号码已作为汇总发票提交给主管部门，同一份凭证只能使用一次",
    "escrow_short": "本订单暂存的保证金 {held} 元，不足 {asked} 元",
    "nothing_to_give_back": "这笔款项不需要通过银行退还，或已经退还",
    "bank_reference_unusable": "银行流水号须为6至64位字母或数字",
    "nothing_to_repay": "本订单没有应退的多付款项",
    "repayment_unusable": "退款凭证有 {count} 处不符，请核对",
    # ratings
    "rating_unusable": "评价有 {count} 处需要修改",
    "rated_already": "本订单已经评价",
    "rating_closed": "评价的修改期限已于 {until} 届满",
    "rating_changed": "评价刚被修改，请刷新后再试",
    "rating_answered": "已回复过这条评价，每条评价只能回复一次",
}

PAID_BY_VOUCHER = "服务券 {amount}"
DEPOSIT = "定金 {rate} {amount}"
ESCROW = "保证金 {amount}"
REST = "余款 {amount}"
DIVIDED = "{price} = {parts}"

PAYMENT_PURPOSES: Mapping[str, str] = {
    "deposit": "定金",
    "balance": "余款",
    "own_share": "企业自付部分",
    "escrow": "保证金",
    "repayment": "多付款项的退回",
}
"""What a payment is for."""

PAYMENT_UNPAID = "{purpose} {amount} 元尚未支付"
PAYMENT_TITLE = "{purpose}（订单 {order}）"
PAYMENT_RETURNED = "订单 {order} 已结束，退还{purpose}"
PREPAID = "已付 {paid} + 服务券 {voucher} − 发票 {invoice} − 已退 {back} = {due}"
REPAYMENT_RECEIPT = "退款转账凭证"

RATING_TAGS: tuple[str, ...] = (
    "响应及时",
    "专业规范",
    "价格合理",
    "按期交付",
    "成果符合约定",
    "沟通不畅",
    "未按期交付",
    "成果与约定不符",
    "另外收费",
)
"""Short remarks that a rating may carry."""

RATING_FIELDS: Mapping[str, str] = {
    "rating": "服务评价",
    "rating_tags": "评价标签（可多选，以“、”分隔）",
    "rating_words": "评价内容",
}

RATING_FAULTS: Mapping[str, str] = {
    "level": "请选择服务评价：{scale}",
    "tags": "没有这些评价标签：{tags}",
    "too_many_tags": "评价标签最多选 {most} 个",
    "words": "评价内容不得超过 {most} 字",
}

RATING_SOMEBODY = "某企业"
"""Instead of a name in what is said of a service."""

ORDER_FIELDS: Mapping[str, str] = {
    "amount_fen": "合同金额（元，含税）",
    "contract_number": "合同编号",
    "signed_on": "合同签订日期",
    "enterprise_name": "合同上的企业名称",
    "provider_name": "合同上的服务机构名称",
    "service_starts_on": "服务开始日期",
    "acceptance_on": "验收日期",
    "unrelated_fen": "与所订服务无关的金额（元）",
    "price_reason": "价格说明（高于公布价或同类通常价格时必填）",
    "matches_offering": "合同的服务名称、内容与所订服务产品一致",
    "consistent_with_past": "合同格式、金额依据与历史同类合同或模板一致",
    "names_price_parts": "合同列明价格、补贴和净价",
    "round_id": "申请的批次（不填为当前开放的批次）",
    "completed_on": "服务完成日期",
    "actual_fee_fen": "实际发生的服务费（元，含税）",
    "voucher_fen": "实际支付的服务券金额（元）",
    "wanted_fen": "拟使用的服务券额度（元，不填为可用的最高额）",
}
"""The fields of an order's steps, by code."""

STEP_FIELD_FAULTS: Mapping[str, str] = {
    "unknown": "这一步没有“{name}”这一项",
    "missing": "请填写“{name}”",
    "text": "“{name}”应为文字",
    "too_long": "“{name}”太长",
    "money": "“{name}”应为不小于零的金额",
    "count": "“{name}”应为不小于零的整数",
    "yes_no": "“{name}”请选择是或否",
    "date": "“{name}”应为有效日期，如 2026-05-18",
    "choice": "“{name}”请从选项中选择",
    "paper_unknown": "这一步不需要材料“{name}”",
    "no_file": "请上传“{name}”的文件",
}
"""What is wrong with what was filled in for a step."""

ORDER_FAULTS: Mapping[str, str] = {
    "price": "请填写约定的价格",
    "project": "请填写服务项目名称",
    "category": "请选择服务类别",
    "values_later": "合同内容请在订单建立后的合同步骤中填写",
}
"""What is wrong with an order that is opened."""

ORDER_STATUSES: Mapping[str, str] = {
    "open": "办理中",
    "on_hold": "运营单位核对中，请等待",
    "waiting": "双方已签署，年度资金不足，按签署先后排队等待",
    "cancelling": "已申请取消，等待处理",
    "done": "服务已完成，可以申请兑付",
    "declined": "服务机构未接单，服务券额度已退回",
    "cancelled": "已取消，服务券额度已退回",
    "lapsed": "逾期未办理，订单已终止",
}
"""Where an order stands."""

TURN = "请{who}办理：{step}"
TURN_UNTIL = "，截止 {until}"
STEP_DONE = "{who}已办理“{step}”"
STEP_SENT_BACK = "“{step}”已被退回{who}"
SETTLES_ELSEWHERE = "在结算中办理"
AHEAD_IN_LINE = "前面还有 {count} 份合同等待年度资金"
HELD = "已冻结 {amount}"
LAPSED = "{who}未在期限内办理“{step}”"
TAKEN_BACK = "申请方撤回取消申请"
CANCELLATION_TITLE = "取消订单：{project}（{number}）"
CANCELLATION_CHECK = "双方已提出取消申请；同意后 {amount} 元退回服务券"
PAYMENT_RETURN_TITLE = "退回服务券支付：{project}（{number}）"
PAYMENT_RETURN_CHECK = "服务券仍在有效期内；同意后 {amount} 元退回支付前的状态"

DELIVERY: Mapping[str, str] = {
    "completed_later": "服务完成日期不得晚于今天",
    "completed_before": "服务完成日期不得早于合同开始日期",
    "outside_window": "服务完成日期须在补助的服务时间范围内",
    "dearer": "实际发生的服务费应大于零且不超过合同约定的 {agreed} 元",
    "nothing": "按发票金额计算，没有可以支付的服务券金额",
    "pays_too_much": "实际支付的服务券金额不得超过 {most} 元",
}
"""What is wrong with a delivery, or with what is paid by voucher."""

CONTRACT: Mapping[str, str] = {
    "precedes_order": "合同签订日期不得早于下单日期",
    "ends_before_start": "验收日期不得早于服务开始日期",
    "no_amount": "合同金额应大于零",
    "all_unrelated": "与服务无关的金额应小于合同金额",
    "fees_beyond": "同一合同下各项目的服务费合计不得超过合同金额",
    "other_amount": "该编号的合同登记的金额不同",
    "signed_this_year": "合同签订时间须为当年",
    "in_service_window": "服务开始和验收时间须在补助的服务时间范围内",
    "names_match": "合同双方名称须与注册的名称一致",
    "matches_offering": "合同服务名称和内容须与所下单的服务产品一致",
    "consistent_with_past": "合同格式和金额依据须与历史同类合同或模板一致",
    "names_price_parts": "合同须列明价格、补贴和净价",
    "day_missing": "请填写合同签订日期",
    "day_recorded_here": "电子合同的签订日期由平台记录，无须填写",
    "signed_later": "合同签订日期不得晚于今天",
    "outside_validity": "合同签订日期须在管理办法的有效期内",
    "same_party": "合同双方不能是同一单位",
    "name_then": "合同上的名称“{name}”与该单位在 {day} 的登记名称（{registered}）不一致",
    "not_rated": "企业尚未评价",
    "other_year": "成效须在兑付当年取得",
}
"""What is wrong with a contract, or keeps an order from being settled."""

CANCELLATION = "{actor}尚未提交取消订单申请"
