"""Organisations, who acts for them, and what they fill in about themselves."""

from __future__ import annotations

from collections.abc import Mapping

ORGANISATION_REFUSALS: Mapping[str, str] = {
    # enterprises and who acts for them
    "no_organisation": "您还没有登记或加入任何单位",
    "uscc_invalid": "统一社会信用代码有误：{problem}",
    "organisation_exists": "该统一社会信用代码已经登记；如属贵单位，请由已登记的经办人或法定代表人邀请加入，"
    "如被他人登记，请持营业执照联系运营单位",
    "facts_unusable": "填报的信息有 {count} 处需要修改",
    "already_member": "您已代表一家企业，一人同时只能代表一家企业",
    "handler_taken": "该企业已有经办人，一家企业同时只能有一名；如需更换，请由法定代表人凭新的授权书办理交接",
    "legal_representative_taken": "该企业的法定代表人已经加入",
    "invitation_unusable": "邀请码无效、已使用或已过期，请联系邀请人重新发送",
    "last_in_charge": "请先邀请新的经办人或法定代表人加入，再解除此人",
    # handing over and proving who one is
    "not_a_candidate": "新的经办人须是本企业的普通成员；请先邀请其以员工身份加入",
    "representative_unproven": "姓名、身份证号码与企业提交的材料不一致，请核对，或由经办人邀请您加入",
    "too_many_proofs": "核验失败次数过多，请明天再试",
    "activity_in_future": "{day} 尚未到，请在活动举办后登记",
    # registration forms
    "form_items_unknown": "表单中没有其中 {count} 项",
    "form_values_unusable": "有 {count} 项不能使用，本次未保存；请按各项说明修改后再保存，此前保存的内容仍在",
    "form_items_shut": "审核人员未退回其中 {count} 项，只能修改被退回的内容",
    "draft_moved_on": "{who}已于 {when} 保存了此表单，请先载入最新内容（第 {version} 版），再继续填写",
    "registration_under_review": "申请正在审核，暂不能修改",
    "undertaking_changed": "{name}的内容已更新，请重新阅读并确认",
    "registration_incomplete": "还有 {count} 项需要补充或修改，草稿已为您保留",
    "operator_cannot_provide": "本项目的运营单位不能作为服务机构",
    # lives and size classes
    "illegal_move": "当前状态不能进行此操作，请刷新后再试",
    "not_permitted_now": "当前状态下不能进行此操作",
    "unknown_industry": "行业代码“{code}”无法对应到中小企业划型标准中的行业，请核对国民经济行业分类代码",
    "figure_missing": "“{industry}”划型需要{figure}，请补充",
}

USCC_FAULTS: Mapping[str, str] = {
    "length": "应为 {wanted} 位，现为 {length} 位",
    "letters": "不使用字符 {letters}（数字 0、1、2、5 常被误写作字母 O、I、Z、S）",
    "digits": "前 8 位应为数字",
    "check": "校验位不符，按前 17 位计算末位应为 {wanted}，现为 {own}，请逐位核对",
}
"""What is wrong with a Unified Social Credit Code."""

FACT_FAULTS: Mapping[str, str] = {
    "future": "成立日期不得晚于今天",
    "change_future": "变更日期不得晚于今天",
    "name": "名称至少应有两个可见字符",
    "label": "没有“{code}”这个企业标识",
    "no_declaration": "没有“{name}”这个填报项",
    "declaration": "“{name}”的填报内容不符合要求",
}
"""What is wrong with something an enterprise filled in."""

FIGURES: Mapping[str, str] = {
    "headcount": "从业人员",
    "revenue": "营业收入",
    "assets": "资产总额",
}
"""The three figures of the size standard."""

SIZE_CLASSES: Mapping[str, str] = {
    "micro": "微型",
    "small": "小型",
    "medium": "中型",
    "large": "大型",
}

SIZE_INDUSTRY = "行业代码 {code} 适用{industry}标准（{article}）"
SIZE_LINE = "{line}企业须同时达到：{comparison}"
SIZE_CONCLUSION = "结论：{size}企业"

LEGAL_FORMS: Mapping[str, str] = {
    "legal_person": "独立法人",
    "public_institution": "事业单位",
    "partnership": "合伙企业",
    "individual": "个体工商户",
}

FORM_FIELDS: Mapping[str, str] = {
    "parent.name": "母公司名称",
    "parent.established_on": "母公司成立日期",
    "contact.name": "专管联系人姓名",
    "contact.phone": "专管联系人电话",
}
"""The fields of a registration form that follow from a programme's other rules."""

FORM_FAULTS: Mapping[str, str] = {
    "kind": "“{name}”的填写格式不正确",
    "negative": "“{name}”不得为负数",
    "choice": "“{name}”须为可选项之一",
    "date": "“{name}”须为有效日期，如 2026-05-18",
    "phone": "“{name}”不是有效的电话号码",
    "id_length": "“{name}”须为 18 位",
    "id_letters": "“{name}”前 17 位须为数字，末位为数字或 X",
    "id_check": "“{name}”校验位不符，请逐位核对",
    "id_birthday": "“{name}”中的出生日期有误",
    "id_of_another": "“{name}”与“{other}”相同而姓名不同，请核对是否误填了他人的号码",
    "two_ids": "“{name}”与同一人的另一个号码不一致",
    "differs": "“{name}”与登记的信息不一致",
    "size_class": "“{name}”与按从业人员、营业收入和资产总额计算的结果不一致",
    "undertaking": "尚未确认{name}",
    "unknown": "表单中没有“{name}”这一项",
    "shut": "“{name}”未被退回，不能修改",
    "masked": "“{name}”含有遮盖符号，请填写完整号码",
    "wrong_kind": "“{name}”所附文件是按其他材料上传的，请重新上传",
    "approved_until": "已通过，有效期至 {day}",
}
"""What is wrong with a registration form."""

MEMBER_ROLES: Mapping[str, str] = {
    "legal_representative": "法定代表人",
    "handler": "经办人",
    "staff": "员工",
}

TEMPLATE: Mapping[str, str] = {
    "head": "{programme}（{clause}）",
    "name": "单位名称",
    "uscc": "统一社会信用代码",
    "signature": "法定代表人签字、单位盖章",
    "date": "日期",
    "choice": " □ ",
    "sealed": "须加盖清晰可辨的公章。",
    "hand_signed": "须由法定代表人亲笔签字，不能用签章代替。",
    "dated_this_year": "日期须在当年。",
}
"""What stands on a form that is printed, signed and uploaded again."""

REGISTRATION_TITLES: Mapping[str, str] = {
    "enterprise": "{name}申请用券资格",
    "provider": "{name}申请服务机构入驻",
}
"""What a review of a registration is called, by party."""

FACT_NAMES: Mapping[str, str] = {
    "name": "名称",
    "area": "注册地",
    "industry": "行业代码",
    "legal_form": "组织形式",
    "legal_person": "独立法人",
    "established_on": "成立日期",
    "headcount": "从业人员",
    "revenue_fen": "上年度营业收入（分）",
    "assets_fen": "资产总额（分）",
    "labels_claimed": "自报标识",
}
"""What the facts of an organisation are called."""

TIES: Mapping[str, str] = {
    "same": "合同双方是同一单位",
    "shareholder": "合同一方持有另一方的股权",
    "common_shareholder": "合同双方有共同的股东",
    "representative": "合同双方的法定代表人为同一人",
    "person_behind": "合同一方的法定代表人持有另一方的股权",
    "namesake": "合同双方的法定代表人或股东有同名的人，请核实是否为同一人",
    "member": "同一账号先后代表过合同双方",
    "phone": "合同双方留有相同的联系电话",
    "address": "合同双方的办公地址相同",
    "ordered_elsewhere": "同一企业就同一服务在其他项目下过订单，请核实是否重复享受补贴",
}
"""What ties the two sides of a deal, for the operator and for whoever is refused."""

TIE_FAULTS: Mapping[str, str] = {
    "id_number": "身份证号码",
    "shares": "各股东持股比例合计不得超过 100%",
    "uscc": "“{name}”的统一社会信用代码有误：{problem}",
    "uscc_missing": "请填写“{name}”的统一社会信用代码",
    "own": "不能把本单位填作自己的股东",
    "twice": "“{name}”填写了两次",
    "phone": "“{number}”不是有效的电话号码",
}
"""What is wrong with a declaration of ties."""
