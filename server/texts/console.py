"""Pages for officials: the programme's page, districts, rankings, jobs."""

from __future__ import annotations

from collections.abc import Mapping

PAGE_CLAUSE = "依据{article}"
PAGE_ASSUMED = "【假设】"
PAGE_NOTHING = "（无）"
PAGE_MONEY = "{amount} 元"
PAGE_ASSUMPTIONS = "假设（{count} 项，原文未写或须解释）"

PAGE_UNCOVERED = "没有条文涉及的部分（{count}）：{parts}"
"""The page of a programme that officials review."""

DISTRICT_STAGES: Mapping[str, str] = {
    "registered": "已注册，未填报",
    "drafted": "填报中，未提交",
    "submitted": "审核中",
    "returned": "退回待修改",
    "ended": "未通过或已失效",
    "approved": "已通过，未申领",
    "applied": "已申领",
}
"""How far an enterprise has come, for its district department."""

DISTRICT_COLUMNS = ("统一社会信用代码", "企业名称", "注册区域", "办理进度", "平台注册时间", "最近提醒时间")
RANKING_TIE_BREAK = "优先类别之间不分先后；同一毫秒到达的，按服务器受理顺序号（place）从小到大。"

RANKING_COLUMNS = (
    "名次",
    "企业名称",
    "优先",
    "优先类别",
    "申领到达时间",
    "受理顺序号",
    "申领金额（分）",
    "额度内金额（分）",
    "获券金额（分）",
    "结果",
)
"""What the columns of a published list are called, in the order of the fields."""

JOBS: Mapping[str, str] = {
    "turn_stand_ins": "按日期使代班安排生效和终止",
    "move_drawn": "抽查抽取后，使名单内的审核件继续办理",
    "carry_out_sanctions": "继续执行处理决定中尚未完成的事项",
    "remind_recoveries": "提醒逾期未缴回的追缴款",
    "resume_contracts": "年度资金到位后，按签署先后使等待的合同生效",
    "tell_windows": "告知集中兑付开始受理和即将截止",
    "lapse_orders": "终止逾期未办理的订单",
    "print_documents": "生成双方已签署的合同和确认书",
    "deliver_outbox": "投递站内消息",
    "send_deliveries": "发送微信消息和短信",
    "run_exports": "生成导出文件",
    "make_reports": "生成并报送到期的报表",
    "expire_exports": "清理到期的导出文件",
    "tell_round_news": "告知批次即将开始、暂停和恢复",
    "fetch_chat_media": "取回用户在微信里发来的图片、语音、视频和文件",
    "check_contents": "请微信检查投诉内容",
    "forget_conversations": "清理长期未继续的聊天填写",
    "forget_chat_messages": "清理已处理的微信消息",
    "wake_deliveries": "用户再次来信后补发留存的消息",
    "close_rounds": "关闭到期批次",
    "rank_rounds": "截止批次的排名与发放",
    "tell_results": "告知申领结果",
    "issue_requests": "向已审核的申请发放服务券",
    "allot_quotas": "核定并发放年度额度",
    "settle_bans": "限制名单生效与到期",
    "close_notices": "结束期满的公示",
    "escalate_objections": "督办逾期未答复的公示异议",
    "remind_notices": "提醒即将期满的公示",
    "publish_results": "公布已拨付的兑付结果",
    "expire_approvals": "到期的资格停用或续存",
    "settle_payments": "核实在线支付结果，退还应退款项",
    "settle_labels": "企业标识到期",
    "end_catalogues": "年度服务产品目录期满下架",
    "recheck_listings": "核对服务超市的上架信息",
    "end_suspensions": "期满的暂停解除",
    "scan_anomalies": "监测已提交结算的数据异常",
    "check_contracts": "以银行和监管部门的共享数据核对合同",
    "mind_supervision": "整改逾期登记，提醒尚未完成的联合检查",
    "mind_complaints": "投诉提醒、逾期移交和到期办结",
    "recompute_deadlines": "按新公布的放假安排重算暂定的期限",
    "expire_vouchers": "服务券到期失效",
    "reclaim_vouchers": "逾期未下单的服务券收回",
    "remind_of_money": "提醒汇总发票和收款账户",
    "end_years": "生成年度结转清单并结转未付兑付",
    "send_reminders": "发送期限提醒",
    "seal_journal": "日志存证：链接新记录，签署上一日，送外部留存",
    "sweep_files": "清理未完成的上传",
    "forget_sessions": "清理失效的登录",
    "forget_job_runs": "清理任务记录",
}
"""What each job of the schedule does, by its name."""

JOB_EVERY = "每 {seconds} 秒"
JOB_DAILY = "每天 {at:%H:%M}（北京时间，按项目时钟）"
