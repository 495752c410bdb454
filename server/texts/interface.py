"""What the HTTP interface says of a request, of itself and of its parts."""

from __future__ import annotations

from collections.abc import Mapping

INTERFACE_REFUSALS: Mapping[str, str] = {
    # what the HTTP layer says of a request
    "malformed": "提交的内容有 {count} 处需要修改",
    "not_json": "请以 JSON 格式提交（Content-Type: application/json）",
    "body_too_large": "提交的内容过大，上限为 {limit_bytes} 字节",
    "body_too_slow": "内容传输太慢，请检查网络后重试",
    "body_incomplete": "内容没有传输完整，请重试",
    "json_malformed": "提交的内容不是有效的 JSON",
    "json_not_an_object": "提交的内容应当是一个 JSON 对象",
    "json_duplicate_key": "字段“{field}”出现了两次",
    "json_number_unusable": "内容里有无法使用的数字",
    "too_many_today": "同类操作 24 小时内最多 {most} 次，已达上限，请稍后再试；已保存的内容不受影响",
    "objection_pending": "您已对该事项提出异议，请等待答复",
    "json_text_unusable": "内容里有无法使用的字符",
    "json_too_deep": "内容的层次过深",
    "no_such_address": "没有这个地址",
    "method_not_allowed": "这个地址不支持此操作",
    "request_unusable": "请求无法处理",
    "service_unavailable": "服务暂时不可用，请在 {retry_after} 秒后重试，您的数据不会丢失",
    "internal_error": "系统出现意外，请稍后重试；如需帮助，请提供编号 {request_id}",
    # who may do what
    "not_signed_in": "请先登录",
    "access_token_expired": "登录已过期，请重新登录",
    "not_allowed": "您没有权限进行此操作",
    "not_found": "没有找到，或您无权查看",
}

STATUS_TITLES: Mapping[int, str] = {
    400: "请求有误",
    401: "需要登录",
    403: "没有权限",
    404: "没有找到",
    405: "不支持的操作",
    408: "请求超时",
    409: "现在不能进行",
    410: "已经失效",
    413: "内容过大",
    415: "格式不支持",
    422: "内容需要修改",
    425: "时间未到",
    429: "操作太频繁",
    500: "系统意外",
    502: "外部服务异常",
    503: "暂时不可用",
}
"""The short heading of an error answer, by HTTP status; the sentence below it says what happened."""

FAULTS: Mapping[str, str] = {
    "missing": "缺少这一项",
    "extra_forbidden": "没有这一项",
    "repeated": "只能填写一次",
    "string_type": "应为文字",
    "string_too_short": "至少 {min_length} 个字",
    "string_too_long": "最多 {max_length} 个字",
    "string_pattern_mismatch": "格式不正确",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_parsing_size": "数字过大",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "enum": "应为以下之一：{expected}",
    "literal_error": "应为以下之一：{expected}",
    "list_type": "应为列表",
    "too_short": "至少 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "greater_than_equal": "不得小于 {ge}",
    "greater_than": "必须大于 {gt}",
    "less_than_equal": "不得大于 {le}",
    "less_than": "必须小于 {lt}",
    "model_type": "应为对象",
    "datetime_type": "应为带时区的时间",
    "timezone_aware": "时间必须带时区",
    "date_type": "应为日期",
    "money_not_a_number": "金额应为整数，单位为分",
    "money_fractional": "金额必须是整数分，不得有小数",
    "money_negative": "金额不得为负",
    "money_too_large": "金额过大",
    "other": "格式不正确",
}
"""What is wrong with one field, by the code of the fault."""

PART_PRESENT = "正常"

PARTS_MISSING: Mapping[str, str] = {
    "database": "数据库不可用",
    "migrations": "数据库结构不是最新，请先执行迁移",
    "redis": "缓存不可用，抢券改走数据库，速度较慢",
    "programmes": "没有可用的政策文件",
}
"""What the absence of a part means, by its name in ``/readyz``."""

API_TITLE = "企券接口约定"

API_DESCRIPTION = (
    "金额一律为整数分（字段名以 _fen 结尾），比例为万分比（_bp），时间为带时区的 RFC 3339。"
    "出错时返回 application/problem+json：detail 是给用户看的中文，code 是不会变化的错误代码，"
    "request_id 是可以口述给客服的八位编号。"
)

DOCS_PAGE: Mapping[str, str] = {
    "machine_readable": "机器可读版本（OpenAPI 3.1）",
    "all_refusals": "全部错误代码",
    "everybody": "任何人，无需登录",
    "who": "谁可以调用：",
    "takes": "参数",
    "answers": "返回 ",
    "empty": "无内容",
    "refusals": "可能的错误",
    "field": "字段",
    "kind": "类型",
    "meaning": "含义",
    "required": "必填",
    "optional": "可选",
    "code": "代码",
    "status": "状态码",
    "sentence": "中文提示",
    "remedy": "用户可以怎么做",
}
"""The words of the readable page of the contract."""

ACTOR_KINDS: Mapping[str, str] = {"person": "已登录的个人", "staff": "工作人员"}

REMEDIES: Mapping[str, str] = {
    "access_token_expired": "用刷新令牌换取新的登录，再重试",
    "login_code_invalid": "重新调用 wx.login 取得新的 code，再登录",
    "malformed": "按 faults 列出的每一项修改后重新提交",
    "internal_error": "稍后重试；仍不行请向客服报出 request_id",
}
"""What the user can do about a refusal, where it differs from what its status suggests."""

REMEDIES_BY_STATUS: Mapping[int, str] = {
    400: "修改请求后重新提交",
    401: "重新登录后重试",
    403: "换用有权限的账号，或联系运营方",
    404: "检查编号是否正确",
    405: "使用该地址支持的方法",
    408: "换到更好的网络后重试",
    409: "刷新页面，查看当前状态",
    410: "此内容已失效，请重新开始",
    413: "缩小内容后重新提交",
    415: "改用 application/json 提交",
    422: "修改后重新提交",
    425: "到时间后再试",
    429: "等待 retry_after 秒后重试",
    500: "稍后重试",
    502: "稍后重试",
    503: "等待 retry_after 秒后重试",
}
"""What the user can do about a refusal, by its status."""
