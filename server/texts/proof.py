"""Proof: the file of a case, what its sections and columns are called, and how it is checked."""

from __future__ import annotations

from collections.abc import Mapping

PROOF_REFUSALS: Mapping[str, str] = {
    "case_name_unusable": "“{given}”不是可导出的案卷，请写成类别加编号，"
    "如 settlement:5、order:5、complaint:5、sanction:5、provider:5",
    "case_reason_missing": "导出未遮盖个人信息的案卷须写明理由，至少 {least} 个字",
    "case_reveal_forbidden": "只有运营方、主管部门和监督机关可以导出未遮盖个人信息的案卷",
    "entry_not_proved": "第 {place} 条记录已入链，当日的签名将在次日生成，请明天再来核对",
}

CASE_SECTIONS: Mapping[str, str] = {
    "parties": "主体与资格",
    "order": "订单与合同",
    "settlement": "兑付申请",
    "review": "审核",
    "sampling": "抽查",
    "notice": "公示与异议",
    "payment": "支付与回单",
    "ledger": "账务",
    "complaint": "投诉",
    "sanction": "处理与追缴",
    "supervision": "检查与回访",
    "evidence": "佐证材料",
    "journal": "日志与存证",
}
"""The sections of a case's file, in their order."""

CASE_TABLES: Mapping[str, str] = {
    "organisation": "单位",
    "qualification": "资格",
    "suspension": "暂停",
    "removal": "清退",
    "provider_grade": "评级",
    "service_order": "订单",
    "contract": "合同",
    "order_act": "办理步骤",
    "order_paper": "订单材料",
    "signature": "签署",
    "printed_document": "打印件",
    "voucher": "服务券",
    "voucher_hold": "服务券占用",
    "voucher_request": "用券申请",
    "cancellation_request": "取消申请",
    "payment_return_request": "退回支付申请",
    "order_finding": "核对情况",
    "rating": "评价",
    "settlement_application": "兑付申请",
    "settlement": "兑付",
    "settlement_paper": "兑付材料",
    "settlement_form": "兑付表单",
    "refund_task": "退还任务",
    "payment_hold": "暂停兑付",
    "order_hold": "监督暂扣",
    "anomaly_finding": "数据异常",
    "review_case": "审核件",
    "review_recusal": "回避",
    "inspection_form": "核查表",
    "result_filing": "结果备案",
    "hand_over": "材料移交",
    "review_decision": "审核决定",
    "sampling_draw": "抽样",
    "sampling_item": "抽样名单",
    "sample_answer": "抽查结果",
    "public_notice": "公示",
    "notice_showing": "公示渠道",
    "notice_line": "公示条目",
    "review_objection": "异议",
    "own_payment": "企业自付",
    "escrow": "保证金",
    "payment_batch": "支付批次",
    "payment": "支付",
    "payment_offset": "支付抵扣",
    "bank_account": "收款账户",
    "ledger_entry": "账目",
    "complaint": "投诉",
    "complaint_entry": "投诉办理记录",
    "sanction_proposal": "处理建议",
    "sanction_case": "处理案件",
    "sanction_entry": "案件陈述",
    "sanction_effect": "处理措施",
    "sanction_appeal": "申诉",
    "sanction_referral": "移送",
    "recovery": "追缴",
    "recovery_line": "追缴明细",
    "recovery_receipt": "追缴到账",
    "inspection": "检查",
    "inspection_signature": "检查签字",
    "inspection_visit": "检查记录",
    "inspection_finding": "检查发现",
    "rectification_task": "整改",
    "call_back": "回访",
    "call_attempt": "回访联系记录",
    "service_file_entry": "服务档案",
    "stored_file": "文件",
    "journal_entry": "日志",
}
"""What the tables of a case's file are called."""

CASE_COLUMNS: Mapping[str, str] = {
    "id": "编号",
    "number": "号码",
    "name": "名称",
    "title": "标题",
    "uscc": "统一社会信用代码",
    "area": "所在地区",
    "status": "状态",
    "programme_slug": "项目",
    "programme_version": "项目版本",
    "party": "一方",
    "kind": "类别",
    "source": "资金来源",
    "category": "服务类别",
    "service": "服务",
    "project": "服务项目",
    "price_fen": "约定价格（元）",
    "contract_fen": "合同金额（元）",
    "invoice_fen": "发票金额（元）",
    "actual_fee_fen": "实际费用（元）",
    "voucher_fen": "服务券支付（元）",
    "amount_fen": "金额（元）",
    "asked_fen": "申请金额（元）",
    "ledger_fen": "账面金额（元）",
    "reduced_fen": "核减金额（元）",
    "face_value_fen": "面值（元）",
    "held_fen": "占用（元）",
    "spent_fen": "核销（元）",
    "paid_fen": "已付（元）",
    "released_fen": "已释放（元）",
    "principal_fen": "本金（元）",
    "surcharge_fen": "加收（元）",
    "kept_fen": "抵扣追缴款（元）",
    "collected_fen": "已追回（元）",
    "total_fen": "合计（元）",
    "payments_count": "笔数",
    "reduction_reason": "核减理由",
    "clause": "依据条款",
    "arithmetic": "计算过程",
    "reason": "理由",
    "step": "步骤",
    "step_name": "步骤",
    "verdict": "结论",
    "reviewer_name": "审核人",
    "returns_before": "此前退回次数",
    "role": "审核方",
    "decided_at": "决定时间",
    "held_on": "会议日期",
    "score": "评分",
    "checks": "系统核对",
    "values": "填报内容",
    "actor": "办理人",
    "at": "时间",
    "placed_at": "下单时间",
    "opened_at": "开始时间",
    "submitted_at": "提交时间",
    "handed_at": "提交时间",
    "signed_at": "签署时间",
    "signed_on": "签订日期",
    "signer": "签署人",
    "organisation_name": "单位名称",
    "enterprise_name": "甲方",
    "provider_name": "乙方",
    "enterprise_id": "企业编号",
    "provider_id": "机构编号",
    "paid_at": "支付时间",
    "payable_at": "可支付时间",
    "closed_at": "结束时间",
    "ended_at": "结束时间",
    "code": "材料代码",
    "files": "文件编号",
    "dated": "日期",
    "payer": "付款人",
    "payee": "收款人",
    "paid_on": "付款日期",
    "bank_reference": "银行流水号",
    "share_bp": "抽取比例（万分之）",
    "commitment": "种子承诺（SHA-256）",
    "seed": "种子",
    "list_hash": "名单摘要（SHA-256）",
    "items": "名单数量",
    "drawn": "抽中数量",
    "announced_at": "公告时间",
    "locked_at": "名单锁定时间",
    "drawn_at": "抽取时间",
    "key": "名单编号",
    "stratum": "分层",
    "turn": "抽中次序",
    "outcome": "结果",
    "satisfaction": "满意度",
    "note": "说明",
    "text": "正文",
    "channel": "渠道",
    "shown_on": "发布日期",
    "url": "网址",
    "published_at": "发布时间",
    "begins_on": "起始日期",
    "ends_at": "截止时间",
    "place": "序号",
    "upheld": "异议是否成立",
    "answer": "答复",
    "answered_at": "答复时间",
    "made_at": "提出时间",
    "approved_at": "批准时间",
    "sent_at": "送出时间",
    "receipt_number": "回单号",
    "receipt_on": "回单日期",
    "holder": "户名",
    "bank": "开户行",
    "tail": "账号末位",
    "movement": "事项",
    "debit": "借方",
    "credit": "贷方",
    "finding": "认定",
    "happened": "经过",
    "wanted": "诉求",
    "words": "内容",
    "message": "情况",
    "rule": "规则",
    "filed_with": "备案机关",
    "filed_on": "备案日期",
    "sha256": "SHA-256",
    "filed_at": "提出时间",
    "sanction": "处理",
    "ground": "事由",
    "facts": "查明事实",
    "measures": "措施",
    "starts_at": "开始时间",
    "hearing_called_at": "通知陈述申辩时间",
    "hearing_until": "陈述申辩截止",
    "effect": "措施",
    "done_at": "完成时间",
    "due_on": "应缴日期",
    "due_provisional": "应缴日期为暂定",
    "received_on": "到账日期",
    "reference": "流水号",
    "original_id": "原件 SHA-256",
    "size_bytes": "字节数",
    "media_type": "类型",
    "created_at": "上传时间",
    "snapshot": "当时情况",
    "action": "事项",
    "subject": "对象",
    "seq": "链上序号",
    "hash": "链上摘要",
}
"""What a column is called on paper. A column without a name stands in ``records/`` alone."""

CASE_INDEX: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "files": ("文件", ("路径", "SHA-256", "字节数", "说明")),
    "journal": ("日志", ("位置", "签署日序号", "对象", "序号", "时间（UTC）", "事项", "办理人", "摘要")),
    "ledger": ("账务", ("编号", "时间（UTC）", "事项", "借方", "贷方", "金额（元）", "订单", "服务券")),
}
"""The sheets of the index, each with its columns."""

CASE_COVER = "案卷目录"
CASE_NUMBERED = "案卷 {name}　{number}"
CASE_MASKED = "个人信息已遮盖"
CASE_REVEALED = "个人信息未遮盖，请依法保管"
CASE_COPIES: Mapping[str, str] = {
    "official": "主管与审计用",
    "third_party": "第三方机构留存",
    "enterprise": "用券企业留存",
    "provider": "服务机构留存",
}
CASE_ROWS = "共 {count} 条"
CASE_MORE = "共 {count} 条，此处印出前 {printed} 条，其余见 {path}"
CASE_CHAINED = "日志 {entries} 条，均已入链；其中 {waiting} 条待当日签名生成"
CASE_PROGRAMME = "项目文件 {path}，SHA-256：{sha256}"
CASE_FILE_NAME = "案卷-{name}-{number}.zip"
CASE_FOOTNOTE = "本件由系统按记录生成；核对方法见“说明.txt”"
CASE_WITHHELD = "（内容不在本副本中）"

CASE_YES, CASE_NO = "是", "否"
CASE_PAIR, CASE_PAIRS, CASE_LIST = "{name}：{value}", "；", "、"
"""How a value of several parts is written on paper."""

CASE_README = """案卷 {name}　{number}
{copy}；{masked}

一、内容
  *.pdf                分册，按序号排列，供阅读
  索引.xlsx            全部文件、日志和账目的索引
  records/             每一册的全部记录，一行一条（JSON）
  files/               佐证材料原件，以内容的 SHA-256 命名
  programme/           适用的项目文件原文
  proof/               日志链、每日签名、到根的路径、公钥
  manifest.json/.sig   全部文件的摘要及其签名
  verify_case.py       核对程序，只需要 Python 3.11 或更新版本

二、核对
  python -I -S verify_case.py 本案卷.zip --key 公钥指纹 --anchor 留存方的文件
  公钥指纹请从平台公开页面（/api/v1/proof/keys）或纸质公告取得；
  留存方的文件请向保存每日根的一方索取。两者都不是本案卷能够自证的。
  结果为 0 且显示 nothing was altered，即案卷自导出后未改动，
  其中的日志与每日签名一致；显示 FAULT 的各行逐一指出何处不符。
"""
"""What stands in 说明.txt."""
