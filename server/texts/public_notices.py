"""Public notices: what a notice says, what its pages say around it, and how objections are refused."""

from __future__ import annotations

from collections.abc import Mapping

NOTICE_REFUSALS: Mapping[str, str] = {
    "put_up_by_notice": "“{step}”须由主管部门拟定公示并由另一人发布，不能直接办理",
    "notice_empty": "没有可以公示的事项，请先选择待公示的事项",
    "notice_too_long": "一次公示最多 {most} 项，请分批公示",
    "notice_item_unusable": "第 {lines} 项不在待公示事项中，可能已列入另一公示或已撤回，请刷新后重新选择",
    "notice_kinds_mixed": "一次公示只能包含同一类事项",
    "notice_moved_on": "公示内容已有变化，请刷新并重新核对预览后再办理",
    "notice_not_draft": "该公示已经发布，内容不能修改；如有错误，请撤回并重新公示",
    "notice_own_draft": "公示须由拟定人以外的另一人发布",
    "notice_not_standing": "该公示不在公示期内，不能办理",
    "channel_unknown": "本项目规定的公示渠道为：{channels}",
    "channel_shown": "该渠道的公示日期已经登记，不能修改；如有错误，请撤回并重新公示",
    "channel_day_unusable": "公示日期须在发布日（{first}）至今天（{last}）之间",
    "channel_day_too_old": "按该日期计算，公示期已经结束，公众未能看到截止日期；请撤回并重新公示",
    "objector_unnamed": "实名提出异议须填写姓名和联系方式；也可以选择匿名",
    "objector_revealed": "异议理由中写有您的姓名或联系方式，理由将告知当事单位，请删去后再提交",
    "objector_anonymous": "该异议为匿名提出，没有可以查看的身份信息",
    "objection_too_many_files": "每件异议最多附 {most} 个文件",
    "objection_file_too_large": "异议附件每个不超过 {most_megabytes} MB",
    "too_many_from_here": "您所在的网络今天提交的次数过多，请明天再试，或登录后办理",
}

NOTICE_SUBJECTS: Mapping[str, str] = {
    "enterprise": "用券企业资格",
    "provider": "服务机构入驻",
    "offering": "服务产品",
    "enquiry": "服务需求",
    "voucher_request": "服务券申请",
    "cancellation": "订单取消",
    "payment_return": "付款退回",
    "settlement": "服务券兑付",
    "provider_grade": "服务机构评级",
    "removal": "服务机构清退",
    "voiding": "服务券作废",
    "complaint": "投诉处理",
}
"""What a notice is about, by what is reviewed."""

NOTICE_TITLE = "关于{subject}的公示"
NOTICE_TITLE_OF_ONE = "关于{organisation}{subject}的公示"
NOTICE_TITLE_OF_RESULT = "{programme}兑付结果公布（{day}）"

NOTICE_LINE: Mapping[str, str] = {
    "organisation": "单位名称",
    "uscc": "统一社会信用代码",
    "matter": "公示事项",
    "number": "编号",
    "provider": "服务机构",
    "enterprise": "用券企业",
    "service": "服务项目",
    "amount": "兑付金额（元）",
    "reduced": "核减金额（元）",
    "paid_on": "拨付日期",
}
"""The headings of a notice's lines."""

NOTICE_STATUSES: Mapping[str, str] = {
    "draft": "拟定中",
    "standing": "正在公示",
    "over": "公示期满",
    "withdrawn": "已撤回",
    "published": "已公布",
}
"""Where a notice stands; ``published`` is a result, which nobody objects to."""

LINE_STATES: Mapping[str, str] = {
    "standing": "公示中",
    "objected": "有异议，核实中",
    "over": "公示期满无异议",
    "not_upheld": "异议不成立，继续办理",
    "upheld": "异议成立，不予通过",
    "taken_down": "本次公示已撤回",
    "ended": "已终止办理",
    "published": "已公布",
}
"""What became of a line, as anybody may read it."""

OBJECTORS: Mapping[str, str] = {"named": "实名", "anonymous": "匿名"}
"""How somebody objected; who it is stands elsewhere."""

NOTICE_PAGE: Mapping[str, str] = {
    "list_title": "公示与公布",
    "list_intro": "以下为各项目的公示和兑付结果公布，长期保留，任何人无需登录即可查阅。",
    "empty": "暂无公示。",
    "number": "公示编号",
    "title": "标题",
    "programme": "项目",
    "status": "状态",
    "published": "发布时间",
    "until": "公示截止",
    "period": "公示期",
    "period_open": "自 {first} 起 {days} 个工作日，至 {until}",
    "period_waiting": "{days} 个工作日，自最后一个渠道公示之日起计算；尚有渠道待公示",
    "period_provisional": "（该年度放假安排尚未公布，截止时间为暂定）",
    "clause": "依据",
    "channels": "公示渠道",
    "channel": "渠道",
    "shown_on": "公示日期",
    "where": "网址",
    "this_page": "本页",
    "not_shown": "待公示",
    "lines": "公示事项",
    "result_lines": "公布事项",
    "place": "序号",
    "state": "目前情况",
    "how": "提出异议",
    "how_text": "对公示事项有异议的，可在公示期内实名或匿名提出，无需登录。提交后请保存查询码，凭码查看答复。"
    "{who}{reply}",
    "anyone": "任何单位和个人均可提出。",
    "only": "按规定由{who}提出，请登录后办理。",
    "reply": "自提出之日起 {days} 个工作日内答复。",
    "reply_default": "自提出之日起 {days} 个工作日内答复（{says}）。",
    "withdrawn": "本公示已于 {at} 撤回。原因：{reason}",
    "replaces": "本公示为重新公示，原公示：",
    "replaced_by": "已重新公示：",
    "hash": "内容校验值（SHA-256）",
    "hash_text": "公示内容自发布起不作修改。对接口返回的 text 字段计算 SHA-256，应与此值一致。",
    "next": "下一页",
    "back": "返回列表",
}
"""The words of the public pages."""

NOTICE_ARTICLE: Mapping[str, str] = {
    "digest": "{programme}，共 {count} 项，{period}",
    "intro": "根据《{basis}》{clause}，现将以下{count}项予以公示，公示期{days}个工作日，"
    "自最后一个公示渠道公示之日起计算。",
    "intro_result": "根据《{basis}》{clause}，现将以下{count}项兑付结果予以公布。",
    "close": "对公示事项有异议的，请在公示期内通过下列网址实名或匿名提出：",
    "source": "原文及校验值：",
    "line": "{place}．{values}",
    "value": "{name}：{value}",
}
"""The words of an article for the official account."""
