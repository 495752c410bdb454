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
    "contract": "演示合同-1",
    "project": "数字化诊断",
    "open_round": "演示批次（正在发放）",
    "next_round": "演示批次（即将开始）",
    "clocks": "各项目的演示时钟（真实日期加固定偏移）：",
    "accounts": "演示账号（工作人员密码均为 {password}）：",
    "people": "1、2、3 已通过审核，1b 是 1 的同事，no 不符合条件，"
    "waiting 待审核，returned 被退回，p1、p2 为服务机构",
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
}
"""What the demonstration says."""

DEMO_OFFERINGS = ("{service}标准服务", "{service}年度服务", "{service}快速服务", "{service}定制服务")
"""What the products of the demonstration are called."""
