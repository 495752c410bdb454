"""Offerings, their scope and prices, and enquiries."""

from __future__ import annotations

from collections.abc import Mapping

OFFERING_REFUSALS: Mapping[str, str] = {
    # offerings
    "offering_not_listed": "该服务产品目前未上架，不能下单",
    "offering_moved_on": "该服务产品刚刚有变动，请刷新后再试",
    "offering_under_review": "该服务产品正在审核，暂不能修改；需要修改时可先撤回",
    "offering_incomplete": "服务产品还有 {count} 项需要补充或修改，草稿已为您保留",
    "nothing_selected": "“{programme}”的服务产品全年均可申报，没有征集批次",
    "selection_times_wrong": "征集的截止时间须晚于开始时间和当前时间，并且不晚于该年度目录的期满",
    "selection_running": "该时间段内已有一次征集，请调整时间",
    "selections_used_up": "{year} 年度的征集最多 {most} 次",
    "selection_over": "“{title}”已经结束",
    "selection_not_open": "“{programme}”目前没有正在进行的服务产品征集，草稿已为您保留",
    # enquiries
    "enquiries_not_here": "{programme}没有需求发布",
    "enquiry_unusable": "需求有 {count} 处需要修改",
    "enquiry_empty": "请至少填写一项需求",
    "enquiry_moved_on": "需求刚有变化，请刷新后再试",
    "enquiry_answered": "贵单位已回复过这项需求，请在原对话中继续",
    "own_enquiry": "不能回复本单位发布的需求",
}

SCOPE: Mapping[str, str] = {
    "unknown_category": "服务类别须为其一：{names}",
    "counted_out": "“{matter}”不在{name}的支持范围内",
    "other_category": "“{matter}”属于{name}",
    "not_announced": "“{name}”的支持范围由年度申报通知确定，本年度通知尚未公布",
}
"""Why something cannot be bought with a voucher."""

OFFERING_ITEMS: Mapping[str, str] = {
    "about.category": "服务类别",
    "about.service": "服务事项",
    "about.kinds": "服务类型",
    "about.name": "服务产品名称",
    "about.areas": "服务区域",
    "about.price": "价格",
    "about.comparisons": "市场同类产品比价",
}
"""What every offering says, where a programme has no name of its own for it."""

OFFERING_FAULTS: Mapping[str, str] = {
    "kind_unknown": "本项目没有“{name}”这一服务类型",
    "area": "“{area}”的层级不够，须从大到小逐级写明，如 某省/某市",
    "half_a_price": "价格的下限和上限须同时填写，只有一个价格时两者相同",
    "price_zero": "价格须大于零",
    "price_order": "价格上限不得低于下限",
    "parts": "分项价格的最低和最高须与价格区间的两端一致",
    "not_itemised": "区间价格须逐项列明每个价格对应的服务内容",
    "comparisons": "市场同类产品比价的数量不足",
    "recognised_for": "被认定的服务类型：{kinds}；申报的类别：{category}",
    "above_catalogue": "洽谈价格不得高于服务产品目录价格",
}
"""What is wrong with an offering."""

OFFERING_CHECKS: Mapping[str, str] = {
    "complete": "应填内容和应交材料齐全",
    "scope": "属于服务券支持范围",
    "recognised": "与被认定的服务类型一致",
    "standing": "服务机构可以发布服务产品",
}
"""What the system checks of an offering under review."""

CATALOGUE_OVER = "所在年度的服务产品目录已期满"
OFFERING_TITLE = "服务产品：{name}（{provider}）"

ENQUIRY_FAULTS: Mapping[str, str] = {
    "unknown": "需求中没有这一项",
    "range": "“{name}”不得高于“{other}”",
}

ENQUIRY_TITLE = "需求发布：{what}"
ENQUIRY_TITLE_PLAIN = "未写明产品类型"
ENQUIRY_CHECKS: Mapping[str, str] = {"standing": "发布单位的用券资格有效"}

FAIR_PRICE: Mapping[str, str] = {
    "above_list": "价格高于该服务产品公布的价格",
    "above_own": "价格高于该服务机构同一产品其他合同的通常价格",
    "above_category": "价格高于其他服务机构同类服务的通常价格",
    "limit": "{price} > {limit}（{base} 上浮 {rate} 以内）",
    "list": "公布价 {amount}",
    "median": "{count} 份合同的中位数 {amount}",
}
"""Why a price asks for its reason, and the comparison behind it."""
