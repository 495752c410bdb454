"""The demonstration."""

from __future__ import annotations

from collections.abc import Mapping

DEMO: Mapping[str, str] = {
    "person": "演示用户 {account}",
    "enterprise": "演示企业 {programme} {number} 号有限公司",
    "provider": "演示服务机构 {programme} {number} 号有限公司",
    "refused": "演示：不符合条件",
    "returned": "演示：请核对申请表后重新提交",
    "list": "演示名单",
    "size": "小型",
    "somebody": "李明",
    "contract": "演示合同-{number}",
    "project": "数字化诊断",
    "open_round": "演示批次（正在发放）",
    "first_round": "演示批次（已发放）",
    "round_over": "演示：申领截止",
    "next_round": "演示批次（即将开始）",
    "clocks": "各项目的演示时钟（真实日期加固定偏移）：",
    "accounts": "演示账号（工作人员密码均为 {password}）：",
    "people": "demo-<项目>- 加：1、2、3（企业，2、3 已有订单）、1b（1 的同事）、no（不符合条件）、"
    "waiting（待审核）、returned（被退回）、p1、p2（服务机构）",
    "log_in": "以演示账号登录：",
    "selection": "演示征集（正在进行）",
    "complaint_1": "约定的回访没有做，联系多次才答复。",
    "complaint_2": "报价之外又要求另付差旅费。",
    "complaint_3": "窗口人员态度生硬，材料退了三次都没有说明原因。",
    "complaint_wanted": "请督促改正并答复",
    "complaint_found": "回访记录齐全，时间与合同一致。",
    "complaint_answer": "经核查，服务机构已按合同完成回访，记录可在订单中查看。",
    "basic": "{service}（基础）",
    "full": "{service}（含实施与回访）",
    "all_of_it": "全域",
    "similar": "同类产品 {number}",
    "said": "{name}：围绕{service}，按合同约定执行",
    "kept": "过程留痕，成果可核验",
    "project_paid": "精益管理诊断（{number}）",
    "project_later": "生产设备上云（{number}）",
    "project_quick": "质量体系辅导（{number}）",
    "window": "演示集中兑付（正在受理）",
    "channel_url": "https://example.com/notice.html",
    "bank": "中国银行演示支行",
    "checked": "演示：核对无误",
    "explained": "演示：已电话核实，材料与实际一致",
    "returned_payment": "演示：收款账户信息有误",
    "filing": "演示备〔1〕号",
    "nowhere": "（暂无）",
    "facts": "演示：抽查发现服务台账与合同约定不一致，机构未在期限内说明。",
}
"""What the demonstration says."""

DEMO_OFFERINGS = ("{service}标准服务", "{service}年度服务", "{service}快速服务", "{service}定制服务")
"""What the products of the demonstration are called."""

DEMO_GUIDE = """可以试的事，从完成的订单到存档（接口前缀 /api/v1/，说明见 /docs）：
  申请兑付  每个项目的 p1 有一个已完成的订单：GET orders?status=done，POST settlement-applications
  审核兑付  demo-operator 有待审的兑付：GET reviews?subject=settlement，POST reviews/<编号>/decision
  组批付款  {payable} 有退汇后换了账户、待付的兑付：demo-operator，POST payment-batches/preview
  查看存档  {closed} 有已付并归档的兑付：
            demo-operator，GET settlements?status=closed，POST case-files，case 为 settlement:<编号>
  监督处理  抽查 {drawn}：GET sampling-draws；数据异常 {odd}：GET anomalies；处理建议：GET sanctions
  公开可查  公示 public-notices，签名公钥 proof/keys；规则试算 POST programmes/<项目>/trials"""
"""Where a visitor finds what."""
