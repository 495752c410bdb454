"""Trials of a changed programme: why an order would be paid no more, and how a trial is refused."""

from __future__ import annotations

from collections.abc import Mapping

TRIAL_REFUSALS: Mapping[str, str] = {
    "programme_faulty": "规则文件{where}有误：现为{found}，应为{expected}",
    "other_programmes_file": "这是“{given}”的规则文件，本次试算的项目是“{wanted}”",
    "nothing_to_try": "{year} 年度没有可供试算的订单",
    "too_much_to_try": "{year} 年度有 {count} 个订单，在线试算最多 {most} 个，请由管理员在服务器上试算",
}

TRIAL_BOUNDS: Mapping[str, str] = {
    "rate": "补贴比例",
    "cap": "单个项目或合同上限",
    "wanted": "企业本次拟使用金额",
    "quota": "企业年度额度",
    "provider": "服务机构年度收券上限",
    "category": "服务类别占比上限",
    "budget": "年度预算",
    "conditions": "企业不符合申领条件",
    "no_tier": "企业不属于任何额度档次",
    "scope": "服务类别或券种不在支持范围内",
    "uses": "项目、订单或合同已用过服务券",
}
"""What decides how much an order is paid, by ``rules.trials.Bound``."""

TRIAL_HEAD = "{name} {year} 年度：{orders} 个订单，实际抵用 {paid} 元"
TRIAL_TOTALS = "按现行规则试算 {before} 元，按修改后规则试算 {after} 元"
TRIAL_OUT = "修改后年度资金于 {day} 用完"
TRIAL_CAPPED = "修改后“{name}”于 {day} 触及占比上限，少付 {amount} 元"
TRIAL_BOUND = "{name}：现行 {before} 个订单，修改后 {after} 个订单"
TRIAL_CHANGE = "{name}：{before} 元 → {after} 元"
TRIAL_SIDES: Mapping[str, str] = {
    "enterprises": "金额变化的企业 {count} 家：",
    "providers": "金额变化的服务机构 {count} 家：",
}
