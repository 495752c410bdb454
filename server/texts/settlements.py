"""Settlements: applications, what is checked before money leaves, forms, windows."""

from __future__ import annotations

from collections.abc import Mapping

SETTLEMENT_REFUSALS: Mapping[str, str] = {
    "settlement_window_closed": "本项目集中兑付，当前不在受理时间内，{next}",
    "settlement_window_impossible": "受理时间不正确：须先开始后结束、尚未过去，且不与其他批次重叠",
    "settlement_windows_full": "按规定本年度最多安排 {most} 次集中兑付",
    "reduction_not_allowed": "本项目不能调整兑付金额：应兑付 {whole} 元，不能改为 {asked} 元",
    "reduction_impossible": "金额须在 0 至 {most} 元之间，单位为分的整数",
    "supervision_fee_not_taken": "本项目没有监理服务收益",
    "settlement_paper_not_asked": "这里不接收材料“{paper}”：订单中已提交的不用重复上传，退回后只改指明的材料",
    "no_settlement_forms": "本项目的兑付申请没有需要生成的表格",
    "year_money_gone": "本年度资金已按提交先后占用完毕：本笔需 {asked} 元，剩余 {left} 元",
    "settlement_orders_unknown": "没有找到这些订单：{ids}",
    "order_not_finished": "订单 {number} 还不能申请兑付：{what}",
    "settled_already": "订单 {number} 已经申请兑付，不能重复申请",
    "settlement_orders_mixed": "一份申请只能包含同一项目、同一服务机构的订单",
    "settlement_unmet": "有 {count} 处需要处理：{first}",
    "settlement_not_payable": "有 {count} 处问题，暂不能核定兑付：{first}",
    "nothing_to_settle": "申请里没有订单，请先选择已完成的订单",
    "settlement_decided": "兑付 {number} 已经核定，不能撤回",
    "settlement_moved_on": "兑付 {number} 刚刚有了变化，现为“{what}”。您的操作没有执行，请刷新后再看",
}

SETTLEMENT_APPLICATION_STATUSES: Mapping[str, str] = {
    "draft": "未提交",
    "submitted": "已提交",
    "withdrawn": "已撤回",
}

SETTLING = "申请兑付"
SETTLEMENT_TITLE = "{project}（订单 {number}）"
"""What a settlement is called where it is reviewed."""

SETTLEMENT_FORMS: Mapping[str, str] = {
    "cover": "服务券兑付申请表",
    "table": "服务券使用情况明细表",
    "provider": "申请单位",
    "uscc": "统一社会信用代码",
    "count": "订单数（笔）",
    "total": "申请兑付金额合计（元）",
    "account": "收款账户",
    "account_known": "以平台登记并核验的账户为准",
    "promise": "本单位承诺：以上内容及所附材料真实、完整，未重复申报其他财政资金；如有不实，愿承担相应责任。",
    "sign": "申请单位（盖章）、负责人（签字）：",
    "date": "年　　月　　日",
    "footnote": "{clause}　内容摘要 {sha256}",
}
SETTLEMENT_COLUMNS = (
    "序号",
    "订单号",
    "用券企业",
    "服务项目",
    "合同编号",
    "合同金额（元）",
    "发票金额（元）",
    "服务券金额（元）",
)

SETTLEMENT_STATUSES: Mapping[str, str] = {
    "draft": "未提交",
    "in_review": "审核中",
    "returned": "退回补正",
    "payable": "待拨付",
    "awaiting_budget": "等待资金",
    "in_payment": "拨付中",
    "paid": "已到账",
    "closed": "已办结",
    "refused": "不予兑付",
    "withdrawn": "已撤回",
}

NO_WINDOW_ANNOUNCED = "请等待主管部门通知"
WINDOW_FROM = "“{name}”自 {opens} 起受理"

SETTLEMENT_CHECKS: Mapping[str, str] = {
    "amount_differs": "按材料重新计算应为 {worked} 元，账面为 {ledger} 元，相差 {apart} 元",
    "amount_equal": "按材料重新计算为 {amount} 元，与账面一致",
    "provider_ceiling": "本笔 {amount} 元超出该机构本年度还可兑付的 {left} 元",
    "provider_room": "本笔在该机构本年度可兑付额度之内",
    "in_principle": "（主管部门可说明理由后突破）",
    "category_ceiling": "本笔 {amount} 元超出该类服务本年度还可兑付的 {left} 元",
    "category_room": "本笔在该类服务本年度可兑付额度之内",
    "carried": "{name}已随订单提交",
    "carried_missing": "订单里没有{name}",
    "amount_shown": "{name}金额 {amount} 元，符合要求",
    "rated": "企业已评价：{level}",
    "same_year": "成果在兑付当年取得（{day}）",
    "result_undated": "请填写政府文件或服务成果的日期，以核对当年见效",
    "held": "{reason}",
    "not_held": "没有投诉暂扣或暂停兑付",
    "provider": "{name}可以申请兑付",
    "enterprise": "服务对象符合支持范围",
    "finding": "{message}（下单时发现，已由运营单位核对）",
    "marks": "发票、回单号码未在其他订单使用",
    "flagged": "以情况说明代替文件，列入抽查",
    "refund_due": "企业已全额付款，服务机构收到券款后须退还企业 {amount} 元",
    "money_left": "本年度资金还可占用 {left} 元",
    "form_outdated": "{name}打印后申请内容有变化，请重新打印、盖章后上传",
    "form_not_printed": "请先生成并打印{name}，盖章后上传",
    "for_order": "订单 {number}：{message}",
}
