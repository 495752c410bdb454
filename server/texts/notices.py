"""The messages of the inbox, and how they name a day."""

from __future__ import annotations

from collections.abc import Mapping

NOTICES: Mapping[str, tuple[str, str]] = {
    "bank_account.entered": ("请核验收款账户", "“{name}”登记了“{programme}”的收款账户，请核对。"),
    "bank_account.verified": (
        "收款账户已核验",
        "贵单位在“{programme}”的收款账户（{bank}，尾号 {tail}）已核验。",
    ),
    "bank_account.rejected": (
        "收款账户未通过",
        "贵单位在“{programme}”的收款账户（{bank}，尾号 {tail}）未通过核验：{reason}",
    ),
    "disbursement.awaiting": ("兑付等待资金", "兑付 {number} 已批准，{amount} 元待资金到位后优先支付。"),
    "disbursement.carried": ("兑付结转", "兑付 {number} 的 {amount} 元转入 {year} 年度之后支付。"),
    "disbursement.sent": ("兑付资金已送银行", "批次 {number} 含贵单位 {count} 笔共 {amount} 元，已送银行。"),
    "disbursement.paid": ("兑付资金已到账", "兑付 {number} 的 {amount} 元已付至账户 {ending}。"),
    "disbursement.kept_back": (
        "兑付资金抵扣追缴款",
        "兑付 {number} 的 {amount} 元中，{kept} 元抵扣逾期的追缴款，{transfer} 元付至账户 {ending}。",
    ),
    "disbursement.nothing": ("兑付已办结", "兑付 {number} 核定金额为零，无需付款，已办结。"),
    "disbursement.returned": (
        "付款被银行退回",
        "兑付 {number} 的 {amount} 元付至账户 {ending} 被退回：{reason}。请登记新的收款账户。",
    ),
    "disbursement.batch_dropped": ("付款批次已撤销", "批次 {number} 已撤销：{reason}"),
    "disbursement.batch_approved": ("付款批次已批准", "批次 {number}（{amount} 元）已批准，可以送银行。"),
    "disbursement.year_ended": (
        "年度结转清单",
        "“{programme}”{year} 年度已结束，已批准未支付 {count} 笔共 {amount} 元，清单已生成。",
    ),
    "disbursement.lapsed": ("兑付申请已终止", "兑付 {number} 依据{clause}随 {year} 年度终止：{reason}。"),
    "disbursement.year_lapse": ("年度终止事项", "“{programme}”{year} 年度有 {count} 笔兑付列入终止。"),
    "escrow.sent": (
        "保证金已送银行",
        "批次 {number} 含贵单位保证金 {count} 笔共 {amount} 元，已送银行。",
    ),
    "escrow.transferred": ("保证金已划付", "兑付 {number} 释放的保证金 {escrow} 元已付至账户 {ending}。"),
    "escrow.returned": (
        "保证金被银行退回",
        "兑付 {number} 释放的保证金 {escrow} 元付至账户 {ending} 被退回：{reason}。请登记新的收款账户。",
    ),
    "disbursement.handed_over": ("请接收存档材料", "移交清单 {number}（{count} 件）请核对接收。"),
    "disbursement.hand_over_received": ("存档材料已接收", "移交清单 {number} 已接收，档案已闭卷。"),
    "disbursement.hand_over_sent_back": ("存档材料被退回", "移交清单 {number} 被退回：{reason}"),
    "summary_invoice.due": (
        "请提交汇总发票",
        "付款批次 {number}（“{programme}”）付款前须提交{name}，金额 {amount} 元。",
    ),
    "summary_invoice.handed": ("收到汇总发票", "“{name}”为批次 {number} 提交了 {amount} 元的汇总发票。"),
    "summary_invoice.sent_back": ("汇总发票被退回", "贵单位为批次 {number} 提交的汇总发票被退回：{reason}"),
    "reminder.settlement_window": ("兑付窗口将关闭", "“{programme}”的“{name}”将于{until}关闭，请及时办理。"),
    "reminder.summary_invoice": (
        "汇总发票尚未提交",
        "付款批次 {number}（“{programme}”）仍缺汇总发票，暂不能付款。",
    ),
    "reminder.bank_account": (
        "缺少收款账户",
        "“{programme}”有 {count} 笔共 {amount} 元待付，收款账户尚未核验。",
    ),
    "order.opened": ("新的订单", "对方发起了订单 {number}（{project}），请查看。"),
    "order.your_turn": ("请办理订单", "订单 {number}（{project}）请贵方办理：{step}。"),
    "order.their_turn": ("订单有进展", "订单 {number}（{project}）下一步由{by}办理：{step}。"),
    "order.sent_back": ("订单被退回", "订单 {number}（{project}）在“{step}”被退回：{reason}"),
    "order.on_hold": ("订单等待核对", "订单 {number}（{project}）须由运营单位核对后继续。"),
    "order.to_look_at": ("请核对订单", "订单 {number}（{project}）有关联关系或价格疑问，请核对。"),
    "order.cleared": ("订单可以继续", "订单 {number}（{project}）已核对：{reason}。"),
    "order.paused": (
        "签约暂停",
        "订单 {number}（{project}）双方已签署，年度资金暂不足（{arithmetic}），已排队，到位后自动生效。",
    ),
    "order.resumed": ("合同已生效", "订单 {number}（{project}）等待的资金已到位，“{step}”已生效。"),
    "order.declined": (
        "服务机构未接单",
        "订单 {number}（{project}）未被接单：{reason}。{amount} 元已退回服务券，等待的天数已补回。",
    ),
    "order.cancelled": (
        "订单已取消",
        "订单 {number}（{project}）已取消：{reason}。{amount} 元已退回服务券。",
    ),
    "order.unperformed": (
        "订单已取消",
        "订单 {number}（{project}）已取消：{reason}。占用的 {amount} 元按规定计为已用，不再退回服务券。",
    ),
    "order.not_settled": (
        "订单不予兑付",
        "订单 {number}（{project}）的 {amount} 元服务券不予兑付：{reason}。",
    ),
    "order.lapsed": ("订单已终止", "订单 {number}（{project}）已终止：{reason}。"),
    "order.cancellation_asked": (
        "对方申请取消订单",
        "订单 {number}（{project}）：{reason}。如同意，请贵方也提出取消申请。",
    ),
    "order.cancellation_refused": ("取消未获同意", "订单 {number}（{project}）继续履行：{reason}。"),
    "order.payment_return_asked": ("服务机构申请退回支付", "订单 {number}（{project}）：{reason}。"),
    "order.payment_returned": (
        "支付已退回",
        "订单 {number}（{project}）支付的 {amount} 元服务券已退回，请重新办理支付。",
    ),
    "order.payment_return_refused": ("支付不予退回", "订单 {number}（{project}）：{reason}。"),
    "report.delivered": ("报表已报送", "“{title}”（{number}）已生成，请查看。"),
    "report.corrected": ("报表已更正", "“{title}”（{number}）已更正为第 {count} 版，请查看差异。"),
    "export.done": ("导出已完成", "“{title}”（{number}）已生成，请在期限内下载。"),
    "payment.held": ("兑付暂停", "贵单位在“{programme}”的兑付暂停（{scope}）：{reason}。"),
    "payment.released": ("兑付恢复", "贵单位在“{programme}”的兑付暂停已解除（{scope}）：{reason}。"),
    "sanction.proposed": ("待决定的处理", "案件 {number}：建议依据{clause}处理 {name}，请核实后决定。"),
    "sanction.hearing": (
        "请陈述申辩",
        "贵单位在“{programme}”涉嫌违反{clause}（案件 {number}），请于 {until} 前提交陈述申辩和证明材料。",
    ),
    "sanction.stated": ("当事人已陈述申辩", "案件 {number}：{name} 提交了陈述申辩，请查看。"),
    "sanction.decided": (
        "处理决定",
        "“{programme}”案件 {number} 已依据{clause}作出处理决定：{reason}。可于 {until} 前提出申诉。",
    ),
    "sanction.dismissed": ("不予处理", "贵单位在“{programme}”的案件 {number} 不予处理：{reason}。"),
    "sanction.appealed": ("收到申诉", "案件 {number}：{name} 提出申诉，须由未参与原决定的人员复核。"),
    "sanction.appeal_upheld": ("申诉成立", "案件 {number} 的申诉成立，原决定已撤销：{reason}。"),
    "sanction.appeal_refused": ("申诉不成立", "案件 {number} 的申诉不成立，维持原决定：{reason}。"),
    "sanction.lifted": ("处理已解除", "案件 {number} 的限制已解除：{reason}。"),
    "recovery.demanded": (
        "追缴通知",
        "须缴回“{programme}”已拨付的补助资金，本金 {amount} 元，期限 {day}，编号 {number}，详见通知书。",
    ),
    "recovery.planned": ("追缴分期", "追缴 {number} 的本金 {amount} 元已同意分期缴回，最后一期 {day}。"),
    "recovery.received": ("追缴款到账", "追缴 {number} 已到账 {amount} 元。"),
    "recovery.collected": ("追缴已结清", "追缴 {number} 到账 {amount} 元，已全部结清。"),
    "recovery.offset_returned": (
        "抵扣已撤销",
        "付款被银行退回，追缴 {number} 已抵扣的 {amount} 元恢复为应缴。",
    ),
    "recovery.overdue": ("追缴已逾期", "追缴 {number} 已逾期，尚欠本金 {amount} 元，请尽快缴回。"),
    "recovery.not_paid": ("追缴逾期未缴", "追缴 {number} 已逾期，尚欠本金 {amount} 元，请跟进。"),
    "recovery.renewed": (
        "追缴金额变更",
        "追缴 {number} 增加本金 {amount} 元：此前由另一案追缴，该决定已撤销。将另行通知期限。",
    ),
    "recovery.added": (
        "追缴金额变更",
        "追缴 {number} 增加本金 {amount} 元：该款项在决定作出后才由银行付出。将另行通知期限。",
    ),
    "recovery.to_give_back": (
        "追缴款须退还",
        "案件 {number} 追缴并已缴回的 {amount} 元不再应缴，须退还当事人，退还后请登记。",
    ),
    "recovery.came_home": (
        "追缴金额变更",
        "追缴 {number} 涉及的付款已由银行退回，其中 {amount} 元不再追缴；已缴回的部分将退还。",
    ),
    "recovery.given_back": ("追缴款已退还", "追缴 {number} 已缴回的 {amount} 元已退还。"),
    "recovery.to_demand": ("追缴须发通知", "追缴 {number} 新增本金 {amount} 元，须发出追缴通知书。"),
    "inspection.planned": ("将进行检查", "“{programme}”计划于 {day} 进行检查：{title}。依据：{clause}"),
    "inspection.closed": ("检查已办结", "检查 {number}（{title}）已办结。"),
    "inspection.refused": ("拒绝接受检查", "“{title}”：{name} 拒绝接受检查。处理依据：{clause}"),
    "inspection.owed": ("联合检查尚未完成", "“{programme}”{year} 年度的联合检查尚未完成。依据：{clause}"),
    "rectification.asked": ("请按期整改", "“{programme}”检查发现问题，请整改并提交证明：{wanted}"),
    "rectification.handed_in": ("整改情况已提交", "请核对整改情况：{wanted}"),
    "rectification.accepted": ("整改通过", "“{wanted}”的整改已通过：{reason}"),
    "rectification.sent_back": ("整改被退回", "“{wanted}”的整改未通过，请继续整改：{reason}"),
    "rectification.overdue": ("整改逾期", "“{programme}”的整改已经逾期：{wanted}"),
    "anomaly.found": ("数据异常待核实", "结算 {number}（{name}）有 {count} 项数据异常，请核实。"),
    "audit.differs": ("自查与审计不符", "{name} {year} 年度自查与审计有 {count} 项严重不符。依据：{clause}"),
    "operator.audited": ("运营单位审计已登记", "“{programme}”{year} 年度运营单位审计已登记，请作出决定。"),
    "operator.commission_decided": (
        "委托决定",
        "“{programme}”{year} 年度审计后的决定自 {day} 起执行：{reason}",
    ),
    "evaluation.to_sign": ("请签署绩效评价", "“{programme}”{starts} 至 {ends} 的绩效评价等待签署。"),
    "rating.received": ("收到新的评价", "贵单位在“{programme}”收到一条新的服务评价，可以回复一次。"),
    "rating.answered": ("评价已获回复", "服务机构回复了贵单位在“{programme}”的评价。"),
    "complaint.filed": (
        "投诉已登记",
        "您的投诉已登记，编号 {number}，将于 {until} 前答复。请妥善保存编号。",
    ),
    "complaint.arrived": ("收到投诉", "投诉 {number} 待受理，须于 {until} 前答复。"),
    "complaint.supplemented": ("投诉有补充", "投诉 {number} 的投诉人补充了情况。"),
    "complaint.urged": ("投诉被催办", "投诉 {number} 的投诉人催办，须于 {until} 前答复。"),
    "complaint.withdrawn": ("投诉已撤回", "投诉 {number} 已由投诉人撤回。"),
    "complaint.confirmed": ("投诉人已确认", "投诉 {number} 的投诉人已确认处理结果。"),
    "complaint.received": ("投诉已受理", "您的投诉 {number} 已受理，将于 {until} 前答复。"),
    "complaint.assigned": ("投诉交您办理", "投诉 {number} 由同事转交您办理，须于 {until} 前答复。"),
    "complaint.message": ("投诉有回复", "您的投诉 {number} 有新的消息，请查看。"),
    "complaint.mediation": ("投诉调解", "您的投诉 {number} 正在组织调解，请查看。"),
    "complaint.answered": (
        "投诉已答复",
        "您的投诉 {number} 已答复。请于 {until} 前确认；不满意的，可要求重新办理。",
    ),
    "complaint.handed_over": ("投诉已移交", "您的投诉 {number} 已移交“{rung}”，将于 {until} 前答复。"),
    "complaint.half_way": ("投诉时限过半", "投诉 {number} 的办理时限已过半，须于 {until} 前答复。"),
    "complaint.overdue": ("投诉已逾期", "投诉 {number} 已逾期（{until}），请立即答复。"),
    "complaint.closed_by_time": (
        "投诉已办结",
        "您的投诉 {number} 未在期限内收到您的意见，已办结。如不满意，可于 {until} 前要求重新办理。",
    ),
    "complaint.flagged": ("投诉内容有提示", "投诉 {number} 有内容安全提示，请查看，照常办理。"),
    "complaint.stated": ("被投诉单位已说明", "投诉 {number} 的被投诉单位提交了说明。"),
    "complaint.sanction_proposed": (
        "请处理违规单位",
        "“{programme}”投诉 {number} 经核实属实且影响严重，建议对被投诉单位作出处理。依据：{clause}。",
    ),
    "accusation.request": ("请说明情况", "有一件投诉（{number}）涉及贵单位，请查看并说明情况。"),
    "accusation.mediation": ("投诉调解", "涉及贵单位的投诉（{number}）正在组织调解，请查看。"),
    "accusation.found": ("投诉核查结果", "涉及贵单位的投诉（{number}）已有核查结果，请查看。"),
    "settlement.submitted": (
        "服务机构已申请兑付",
        "订单 {order_number} 的服务机构已申请兑付（{number}），申请金额 {asked} 元。",
    ),
    "settlement.returned": ("兑付申请被退回", "兑付 {number}（订单 {order_number}）请补正：{reason}"),
    "settlement.payable": (
        "兑付已核定",
        "兑付 {number}（订单 {order_number}）已核定 {amount} 元，等待拨付。",
    ),
    "settlement.reduced": (
        "兑付金额有调整",
        "兑付 {number}（订单 {order_number}）核定 {amount} 元，核减 {reduced} 元。"
        "理由：{reason}。依据：{clause}。",
    ),
    "settlement.refused": ("不予兑付", "兑付 {number}（订单 {order_number}）不予兑付。理由：{reason}。"),
    "settlement.refund_due": (
        "请退还企业多付款项",
        "兑付 {number}（订单 {order_number}）：企业已全额付款，服务机构须退还企业 {owed} 元。"
        "依据：{clause}。",
    ),
    "settlement.escrow_back": (
        "保证金将退还",
        "订单 {number}（{project}）的保证金有 {amount} 元将退还贵单位。",
    ),
    "settlement.window_announced": (
        "集中兑付已安排",
        "“{programme}”{name}：{opens} 至 {closes} 受理兑付申请。",
    ),
    "settlement.window_open": (
        "兑付申请开始受理",
        "“{programme}”{name}已开始受理，截至 {closes}。贵单位有已完成、尚未申请兑付的订单。",
    ),
    "order.held": ("订单由监督部门暂扣", "订单 {number}（{project}）由监督部门暂扣，期间不办理兑付。"),
    "order.released": ("订单暂扣已解除", "订单 {number}（{project}）的暂扣已解除。"),
    "enquiry.answered": ("需求收到回复", "“{provider}”以“{offering}”回复了贵单位发布的需求。"),
    "enquiry.said": ("需求对话有新消息", "贵单位在“{programme}”的需求对话有新消息。"),
    "enquiry.closed": ("需求已结束", "贵单位在“{programme}”回复过的一项需求已由发布企业结束。"),
    "voucher.granted": ("领券成功", "您的企业已领到服务券 {number}，面值 {amount} 元，请在有效期内使用。"),
    "qualification.approved": ("{party}审核通过", "您的单位已通过“{programme}”的{party}审核。{next}"),
    "qualification.expired": (
        "资格已到期",
        "您的企业在“{programme}”的资格已到期，不能再领券或新签合同。请在申请表中更新材料后续期。",
    ),
    "qualification.held_on": ("资格继续有效", "您的企业在“{programme}”的资格无需重新提交材料，继续有效。"),
    "qualification.not_renewed": ("续期未通过", "“{programme}”的续期申请未通过审核，原资格到期后失效。"),
    "organisation.change_reported_late": (
        "变更报告逾期",
        "{name}报告的变更超过了规定期限（{due}），请决定是否采取措施。",
    ),
    "order.provider_suspended": (
        "服务机构已被暂停",
        "订单 {number}（{project}）的服务机构已被暂停：已签合同继续履行，尚未签订的可以取消，券不受影响。",
    ),
    "order.provider_removed": (
        "服务机构已被清退",
        "订单 {number}（{project}）的服务机构已被清退：已签合同的继续履行，尚未签订的请取消后另选服务机构。",
    ),
    "provider.suspended": (
        "服务机构资格已暂停",
        "您的单位在“{programme}”的服务机构资格已暂停，暂不能承接新订单，已签订的合同请继续履行。"
        "依据：{clause}。原因：{reason}",
    ),
    "provider.suspension_reported": (
        "服务机构已被暂停",
        "“{programme}”的服务机构{name}已被暂停。依据：{clause}。原因：{reason}",
    ),
    "provider.suspension_lifted": (
        "暂停已解除",
        "您的单位在“{programme}”的暂停已解除，请查看当前资格状态。说明：{reason}",
    ),
    "provider.ceiling_raised": (
        "收券上限已调整",
        "经批准，您的单位本年度在“{programme}”的收券上限为 {amount} 元。依据：{clause}。理由：{reason}",
    ),
    "provider.graded": ("评级已公布", "您的单位在“{programme}”{year} 年度的评级为：{grade}。"),
    "provider.removed": (
        "已被清退",
        "您的单位在“{programme}”的服务机构资格已终止。依据：{clause}。原因：{reason}",
    ),
    "organisation.handler_changed": ("经办人已更换", "贵企业的经办人已凭新的授权书更换，服务券不受影响。"),
    "membership.handed_over": ("经办人身份已交接", "您已不再是该企业的经办人，登录已结束。"),
    "qualification.refused": ("{party}审核未通过", "“{programme}”的{party}未通过审核。{reason} {unmet}"),
    "qualification.revoked": ("{party}已取消", "您的单位在“{programme}”的{party}已被取消。原因：{reason}"),
    "qualification.sent_back": (
        "{party}重新审核",
        "单位信息有变化，“{programme}”的{party}需要重新审核，审核期间不能新办业务。",
    ),
    "district.remind_registered": (
        "请填写申请",
        "您的企业尚未申请“{programme}”。属地主管部门提醒您：请在小程序中填写申请表并提交。",
    ),
    "district.remind_drafted": (
        "请提交申请",
        "您在“{programme}”的申请表尚未提交。属地主管部门提醒您：请填写完整后提交。",
    ),
    "district.remind_returned": (
        "请修改后重新提交",
        "您在“{programme}”的申请已退回修改。属地主管部门提醒您：请按要求修改后重新提交。",
    ),
    "district.remind_approved": (
        "请申领服务券",
        "您的企业已通过“{programme}”的审核，尚未申领服务券。属地主管部门提醒您：请按通知申领或使用。",
    ),
    "offering.listed": ("服务产品已上架", "“{name}”已在“{programme}”上架。依据：{clause}。"),
    "offering.taken_down": ("服务产品已下架", "“{name}”已从“{programme}”下架。原因：{reason}"),
    "offering.ended": (
        "服务产品目录期满",
        "“{name}”所在的“{programme}”年度目录已期满，产品已下架。请参加新的征集。",
    ),
    "selection.opened": (
        "服务产品征集",
        "“{programme}”的“{title}”自 {opens} 起接受申报，至 {until} 截止。",
    ),
    "membership.ended": ("已不再代表企业", "您代表企业的身份已经解除，如有疑问请联系企业负责人。"),
    "review.arrived": ("有新的待办审核", "“{title}”（{number}）已到“{step}”环节，请办理。"),
    "review.resubmitted": ("已重新提交", "“{title}”（{number}）已按要求修改并重新提交，请继续办理“{step}”。"),
    "review.objected": ("公示收到异议", "“{title}”（{number}）在公示期内收到异议，答复之前暂停办理。"),
    "review.step_passed": ("审核进展", "“{title}”（{number}）已通过“{step}”。依据：{clause}。"),
    "review.put_up": ("进入公示", "“{title}”（{number}）已进入“{step}”，公示至 {until}。依据：{clause}。"),
    "review.returned": (
        "请修改后重新提交",
        "“{title}”（{number}）需要修改：{reason}。请只修改被退回的内容，其余内容已为您保留。",
    ),
    "review.passed": ("审核通过", "“{title}”（{number}）已通过审核。依据：{clause}。{reason}"),
    "review.refused": (
        "审核未通过",
        "“{title}”（{number}）未通过审核。依据：{clause}。原因：{reason} {unmet}",
    ),
    "notice.drafted": ("公示待发布", "“{title}”已拟定，共 {count} 项，请由拟定人以外的另一人核对后发布。"),
    "notice.ending": ("公示即将结束", "“{title}”（{number}）公示至 {until}，尚有 {open} 件异议待答复。"),
    "notice.withdrawn": ("公示已撤回", "“{title}”（{number}）的公示已撤回，将重新公示。原因：{reason}"),
    "objection.answered": ("异议已答复", "您对公示 {number} 中“{title}”提出的异议已有答复：{answer}"),
    "objection.overdue": ("异议答复超期", "公示 {number} 中“{title}”的异议已过答复期限，请尽快答复。"),
    "review.due": ("审核期限临近", "“{title}”（{number}）的“{step}”须在 {until} 前办理，{days}。"),
    "review.overdue": (
        "审核逾期，请督办",
        "“{title}”（{number}）的“{step}”应于 {until} 前由{actor}办理，至今未办，请督促办理。依据：{says}。",
    ),
    "review.correction_due": ("修改期限临近", "“{title}”（{number}）须在 {until} 前修改并重新提交，{days}。"),
    "voucher_request.left_out": (
        "本次未能发放服务券",
        "您申请的服务券本次未能发放。依据：{clause}。{arithmetic}",
    ),
    "voucher_request.waiting": (
        "等待发放",
        "您申请的服务券已审核通过，资金落实后按顺序发放。依据：{clause}。{arithmetic}",
    ),
    "blocklist.added": ("已列入限制名单", "您的企业已被列入限制名单。依据：{clause}。原因：{reason}"),
    "blocklist.lifting_asked": ("已提请移出限制名单", "依据{clause}的限制已提请解除，待复核。原因：{reason}"),
    "blocklist.lifted": ("已移出限制名单", "您的企业已被移出限制名单。原因：{reason}"),
    "round.opens_soon": (
        "领券即将开始，您已准备就绪",
        "“{programme}”的“{title}”将于 {until} 开始，您的企业可以参加，请提前登录小程序。",
    ),
    "round.opens_not_ready": (
        "领券即将开始，您尚不能参加",
        "“{programme}”的“{title}”将于 {until} 开始，您的企业尚不能参加，请在小程序查看准备检查中缺少的条件。",
    ),
    "round.paused": ("领券暂停", "“{programme}”的“{title}”已暂停领取，恢复时将另行通知。"),
    "round.resumed": ("领券恢复", "“{programme}”的“{title}”已恢复领取，至 {until} 截止。"),
    "round.ranked": (
        "批次已排名",
        "“{title}”已排名并发放：参与排名 {ranked} 家，获券 {awarded} 家，共 {amount} 元。"
        "结果将于 {published} 公布。",
    ),
    "application.waiting": (
        "未获券，已进入候补",
        "“{title}”排名第 {position}（共 {ranked} 家），本批次资金已按优先资格和申领先后发完。"
        "有服务券退回时按名次递补。依据：{clause}。",
    ),
    "application.unsuccessful": (
        "未获券",
        "“{title}”排名第 {position}（共 {ranked} 家），本批次资金已按优先资格和申领先后发完。"
        "依据：{clause}。",
    ),
    "application.not_qualified": (
        "申领未参与排名",
        "截止时您的企业不具备用券资格，“{title}”的申领未参与排名。依据：{clause}。",
    ),
    "application.barred": (
        "申领未参与排名",
        "截止时您的企业在限制名单中，“{title}”的申领未参与排名。依据：{clause}。",
    ),
    "application.quota_used": (
        "申领未参与排名",
        "截止时您的企业本年度额度已经用完，“{title}”的申领未参与排名。依据：{clause}。",
    ),
    "organisation.labels_changed": (
        "企业标识有变化",
        "您的企业标识有变化，享受的政策可能随之改变，请查看企业信息。",
    ),
    "voucher.hand_back": ("服务券已退回", "服务券 {number} 已退回，退回金额 {amount} 元。"),
    "voucher.expiry": ("服务券已到期", "服务券 {number} 已到期，未使用的 {amount} 元失效。"),
    "voucher.reclaim": ("服务券已收回", "服务券 {number} 逾期未办理，{amount} 元已收回。"),
    "voucher.order_ended": (
        "服务券随订单收回",
        "服务券 {number} 是为一份合同发放的，该订单已结束，{amount} 元已收回，不计入年度额度。原因：{reason}",
    ),
    "voucher.voiding": ("服务券已作废", "服务券 {number} 已作废，涉及 {amount} 元。原因：{reason}"),
    "payment.paid": ("款项已支付", "订单 {number} 的{purpose} {amount} 元已支付。"),
    "payment.refund_due": ("款项将退还", "订单 {number} 的{purpose} {amount} 元将退还企业。"),
    "payment.refunded": ("款项已退还", "订单 {number} 的{purpose} {amount} 元已退还。"),
    "payment.repaid": ("多付款项已退回", "服务机构已退回订单 {number} 多付的 {amount} 元。"),
    "payment.disputed": (
        "在线支付金额不符",
        "订单 {number} 的{purpose}应付 {amount} 元，微信支付通知的金额为 {paid} 元，请核实。",
    ),
    "reminder.voucher_expiry": (
        "服务券即将到期",
        "服务券 {number} 的有效期至 {until}，{days}。请及时使用；不再需要的，请退回。",
    ),
    "reminder.order_step": (
        "订单即将到期",
        "订单 {number}（{project}）的“{step}”截止 {until}，{days}。",
    ),
    "reminder.order_deadline": (
        "请尽快下单",
        "服务券 {number} 须在 {until} 前完成下单，{days}，逾期将被收回；不再需要的，请退回。",
    ),
    "reminder.qualification_expiry": (
        "资格即将到期",
        "“{programme}”的资格有效期至 {until}，{days}，请按期办理续期。",
    ),
    "reminder.round_opens": ("批次即将开始", "“{programme}”的“{title}”将于 {until} 开始，请提前做好准备。"),
}
"""Title and sentence of each message of the inbox, by topic. The data of the message fills them in."""

NOTICE_OF_ANYTHING = ("系统通知", "您有一条新的通知，请查看详情。")
NOTICE_UNKNOWN = "—"
DAYS_LEFT = "还有 {days} 天"
LAST_DAY = "今天截止"
INSTANT = "{at:%Y}年{at.month}月{at.day}日 {at:%H:%M}"
END_OF_DAY = "{day:%Y}年{day.month}月{day.day}日 24:00"
PROVISIONAL = "{day}（暂定，以公布的放假安排为准）"
