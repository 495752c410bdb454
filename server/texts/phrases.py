"""Words that many sentences share: who, why, yes and no, what joins a list."""

from __future__ import annotations

from collections.abc import Mapping

WHO: Mapping[str, str] = {"person": "本企业人员", "staff": "运营单位", "clock": "系统"}
"""Who did it, by the kind of actor."""

UNIT_PERSONS = "人"
UNIT_WAN = "万元"
AND = "，且"
YES_NO: Mapping[bool, str] = {True: "是", False: "否"}
NOT_STATED = "未填报"
FOR_GOOD = "长期"
LIST = "、"
CLAUSE_OF = "“{programme}”{clause}"
STEP = "；"
LESS = "{own} < {wanted}"
YOU = "贵方"

ACTORS: Mapping[str, str] = {
    "enterprise": "企业",
    "provider": "服务机构",
    "both": "企业和服务机构",
    "operator": "运营单位",
    "authority": "主管部门",
    "division": "主管部门职能处室",
    "district": "区主管部门",
    "treasury": "财政部门",
    "inspector": "第三方机构",
    "expert": "专家",
    "oversight_body": "监督机关",
    "system": "系统",
    "anyone": "任何单位或个人",
}

REASONS: Mapping[str, str] = {
    "time_over": "批次时间已到",
    "round_full": "优先申领已占满本批次资金，停止申领",
    "notice_over": "公示期满，没有影响办理的异议",
    "suspension_over": "暂停期满",
    "removed": "已被清退",
}
"""Why the clock did a thing."""
