"""Supervision: inspections, call-backs, service files, abnormal figures, audits and evaluations."""

from __future__ import annotations

from collections.abc import Mapping

SUPERVISION_REFUSALS: Mapping[str, str] = {
    "supervision_moved_on": "该事项刚刚由他人办理，请刷新后再试",
    "supervision_words_missing": "请填写内容",
    "supervision_too_many_files": "一次最多上传 {most} 个文件",
    "supervision_day_impossible": "日期不成立：今天是 {today}，走访日期不得晚于今天，整改期限不得早于今天",
    "inspection_sample_unusable": (
        "请选择 1 至 {most} 个检查对象，不得重复；抽样检查的对象须在抽中名单内（不在名单内：{names}）"
    ),
    "inspection_not_yours": "该类检查由{names}实施",
    "inspection_open": "检查还不能办结，尚缺 {count} 项",
    "inspection_over": "该次检查已经办结或取消",
    "inspection_signed": "该角色已经签字，或您已经代表另一方签字",
    "visit_incomplete": "检查记录不完整，有 {count} 处需要补充",
    "visit_made": "该对象的检查已经记录，不能再改",
    "rectification_not_open": "该整改事项目前不能办理这一步",
    "call_list_unusable": (
        "请选择 1 至 {most} 个订单，不得重复；抽样回访的订单须在抽中名单内（不在名单内：{names}）"
    ),
    "sample_not_drawn": "该次抽样还没有抽取结果",
    "call_over": "该次回访刚刚有人记录，或企业已经作答，请刷新后再看",
    "call_answer_unusable": "接通并作答时须选择评价，未作答时不得选择；可选：{scale}",
    "anomaly_not_yours": "数据异常由{names}作出处理",
    "anomaly_decided": "该项异常已经处理，或据此提出的处理建议尚未决定",
    "audit_figures_unusable": "请填写 1 至 {most} 项数据",
    "audit_nothing_to_compare": "{year} 年度须同时有自查报告和审计报告，才能对比",
    "audit_compared": "{year} 年度的这两份报告已经对比，结果不能更改",
    "operator_audited": "{year} 年度运营单位专项审计已经登记或作出决定",
    "audit_own_record": "登记审计结果的人员不能作出决定",
    "commission_ended": "根据 {year} 年度专项审计，运营单位的委托自 {day} 起终止，须先确定新的运营单位",
    "evaluation_period": "评价期间的截止日期不得早于起始日期，且须已经结束",
    "evaluation_signed": "该部门已经签署，或您已经代表另一部门签署",
    "evaluation_not_yours": "绩效评价由{names}共同签署",
    "anomaly_ground_missing": "管理办法没有专门针对数据异常的处理规定，请选择处理依据",
}

ANOMALIES: Mapping[str, str] = {
    "price": "价格明显高于本机构同一产品或同类服务的价格",
    "concentration": "服务机构的业务过于集中于一家企业",
    "one_person": "服务机构的业务过于集中于同一法定代表人的企业",
    "same_invoice": "同一张发票或回单的文件用于其他订单",
    "shared_contact": "企业和服务机构使用相同的联系方式、账户或人员",
    "shared_provider": "与其他服务机构使用相同的联系方式、账户或人员",
    "year_end_rush": "年末集中提交结算",
    "same_inspector": "核查始终由同一人进行",
    "at_cap": "整数价格反复恰好达到补贴上限",
    "too_quick": "从下单到申请结算的时间过短",
}
"""What looks wrong, by the rule that found it."""

ANOMALY_SUMS: Mapping[str, str] = {
    "own": "价格 {price} 元 > 本机构同一产品 {count} 单中位数 {median} 元 ×（1＋{rate}）= {limit} 元",
    "peers": "价格 {price} 元 > 其他机构同类服务 {count} 单中位数 {median} 元 ×（1＋{rate}）= {limit} 元",
    "enterprise": "{name}：{part} 元 ÷ 全年 {whole} 元 = {rate}，达到 {limit}（{count} 单，共 {all} 单）",
    "person": (
        "{name} 的法定代表人相同：{part} 元 ÷ 全年 {whole} 元 = {rate}，"
        "达到 {limit}（{count} 单，共 {all} 单）"
    ),
    "files": "同一文件还用于订单：{orders}",
    "shared": "双方相同：{kinds}",
    "sharing": "与“{name}”相同：{kinds}",
    "rush": "年度最后 {days} 日提交 {count} 单 ÷ 全年 {all} 单 = {rate}，达到 {limit}",
    "inspector": "同一人核查 {count} 次 ÷ 共 {all} 次 = {rate}，达到 {limit}",
    "cap": "恰好达到上限 {cap} 元的整数价格 {count} 单 ÷ 全年 {all} 单 = {rate}，达到 {limit}",
    "quick": "{placed} 下单，{submitted} 申请结算，相隔 {took} 日 < {days} 日",
}
"""The comparison behind each."""

MARK_KINDS: Mapping[str, str] = {"phone": "电话", "person": "法定代表人或经办人", "account": "银行账户"}

SERVICE_FILE: Mapping[str, str] = {
    "admitted": "取得或续展服务资格",
    "order_done": "订单履约完成",
    "order_ended": "订单未履约完成：{status}",
    "rated": "用券企业评价：{level}",
    "inspected": "{title}：{found} 项问题",
    "refused": "{title}：拒绝接受检查",
    "rectified": "整改完成：{wanted}",
    "overdue": "整改逾期：{wanted}",
    "called": "满意度回访：{level}",
    "sampled": "抽查{title}：{result}",
    "complained": "投诉经核查属实",
    "complaint_cleared": "投诉经重新核查不属实",
    "sanctioned": "处理决定：{name}",
    "sanction_ended": "处理决定已解除：{name}",
    "sanction_reversed": "处理决定经申诉撤销：{name}",
    "suspended": "先行暂停：{reason}",
    "suspension_ended": "先行暂停已解除：{reason}",
    "settled": "结算支付 {amount} 元",
    "reduced": "结算支付 {amount} 元，核减 {reduced} 元",
    "anomaly": "数据异常，已提出处理：{message}",
    "commitment": "信用承诺抽查：{found} 项未履行",
    "audit": "自查与审计对比：{found} 项严重不符",
}
"""A line of a provider's service file, by what it tells of."""

SERVICE_FILE_ENDS: Mapping[str, str] = {
    "declined": "服务机构未接单",
    "cancelled": "已取消",
    "lapsed": "逾期终止",
}
"""How an order came to nothing."""

SERVICE_FILE_KINDS: Mapping[str, str] = {
    "admission": "准入",
    "order": "订单",
    "rating": "评价",
    "inspection": "检查",
    "rectification": "整改",
    "call_back": "回访",
    "complaint": "投诉",
    "sanction": "处理",
    "settlement": "结算",
    "anomaly": "数据异常",
    "commitment": "信用承诺",
    "audit": "审计",
}
SERVICE_FILE_CHECK = "服务档案中本年度没有不良记录"
SERVICE_FILE_COUNT = "{kind} {count} 条"

SHARED_SOURCES: Mapping[str, str] = {
    "business_register": "市场监管共享数据：合同双方登记存续、可从事所签服务",
    "dishonesty_list": "共享数据：合同双方不在失信被执行人名单",
    "bank": "银行共享数据：收款账户为本机构所有、状态正常",
}
"""What each source of shared data is asked about a contract."""

INSPECTION_MISSING: Mapping[str, str] = {
    "visits": "还有 {count} 个对象没有检查记录",
    "signatures": "尚未签字：{names}",
    "opinion": "没有检查意见",
    "report": "没有上传检查报告",
}
VISIT_MISSING: Mapping[str, str] = {
    "answer": "未填写：{item}",
    "finding": "“{item}”不符合，但没有写明问题",
    "stray": "“{item}”没有填为不符合",
    "many": "最多记录 {most} 个问题",
}

ANOMALY_HOLD = "核销数据需要核实，核实前暂停兑付"
"""What both sides read of a payment that is held for its figures."""
ANOMALY_FACTS = "{message}（{arithmetic}）。{facts}"
"""What a sanction that is proposed on a finding says was found."""

AUDIT_LINE = "{code}：自查 {said}，审计 {audited}，相差 {difference}（{apart}）> {limit}"
"""A figure on which a self-check and an audit lie too far apart."""

EVALUATION_INDICATORS: Mapping[str, str] = {
    "paid": "已拨付金额（元）",
    "reduced": "核减金额（元）",
    "settled": "结算完成率",
    "enterprises": "受益企业数",
    "providers": "获得结算的服务机构数",
    "satisfaction": "平均满意度",
    "complaints": "经查属实的投诉",
    "anomalies": "数据异常",
    "inspections": "已办结的检查",
    "category": "服务类别",
}
"""What an evaluation works out by itself."""

WATCH_REASONS: Mapping[str, str] = {
    "step_late": "当前步骤已于 {due} 到期",
    "step_soon": "当前步骤将于 {due} 到期",
    "contract_late": "合同约定的验收日 {due} 已过",
    "contract_soon": "合同约定的验收日为 {due}",
    "complaint": "有正在处理的投诉",
    "provider_held": "服务机构已被暂停或清退",
    "rectification": "服务机构有 {count} 项整改逾期",
}
"""Why somebody should look after a contract."""
