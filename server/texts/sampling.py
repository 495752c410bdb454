"""Sampling: what is told of draws and of what came of them."""

from __future__ import annotations

from collections.abc import Mapping

SAMPLING_REFUSALS: Mapping[str, str] = {
    "list_frozen": "此件已列入一份锁定的抽查名单，抽取结果公布前不能办理或更改；迟来的事项参加下一次抽取",
    "not_sampled": "此件在当前环节之后没有抽查，不能列为抽查必查件",
    "draw_outstanding": "“{step}”须先经随机抽取，抽取前不能逐件手工办理",
    "share_too_small": "抽查比例不得低于万分之 {least_bp}，填写的是万分之 {given_bp}",
    "nothing_to_draw": "目前没有可以列入名单的事项",
    "draw_not_there": "该次抽查{state}，不能进行这一操作",
    "not_your_draw": "按规定，此项抽查由{names}实施",
    "draw_unusable": "此项抽查不能这样抽取：请按规定的对象选择，并填写起止日期（止日须早于今天）",
    "draw_list_too_long": "名单将超过一次抽查的上限 {most} 条：请缩短起止日期，分几次抽取，不会有事项被漏下",
    "draw_under_way": "同类抽查已经公布种子摘要，请先完成该次抽取",
    "public_number_missing": "公开号码与事先公布的来源（{source}）须同时具备",
    "result_by_review": "该事项的抽查结果以其审核决定为准，不能另行登记",
    "sample_looked_at": "该事项的抽查结果已经登记",
    "sample_word_unknown": "“{word}”不在规定的选项内：{known}",
    "finding_missing": "发现问题的，请写明发现的情况",
}

DRAW_STATES: Mapping[str, str] = {
    "announced": "已公布种子摘要，名单尚未锁定",
    "locked": "名单已锁定，尚未抽取",
    "drawn": "已抽取，正在核查",
    "closed": "已完成核查",
}
"""How far a draw is."""

DRAW_OUTCOMES: Mapping[str, str] = {
    "clean": "未发现问题",
    "finding": "发现问题",
    "no_answer": "未联系上或未作答，仍在名单内",
    "gone": "核查前事项已终止",
}
"""What came of a drawn line."""

CALL_METHODS: Mapping[str, str] = {"phone": "电话回访", "visit": "上门走访"}
"""How an enterprise was asked, on the line it was drawn for."""
CALL_NOTED: Mapping[str, str] = {
    "answered": "回访名单 {number} {words}",
    "no_answer": "回访名单 {number} 未联系上",
    "wrong_number": "回访名单 {number} 号码不符",
    "declined": "回访名单 {number} 拒绝答复",
}
"""What the drawn line says of a call-back."""
VISIT_METHOD = "实地检查"
VISIT_NOTED = "检查 {number}：{words}"
"""What the drawn line says of a visit."""

NOT_DRAWN = "第 {draw} 号抽查：名单 {items} 件，抽中 {drawn} 件，本件未抽中"
"""The reason of a spot check that the draw passed over."""
DRAW_UNTRIED = "尚未核查"
"""What a drawn line says before anybody tried."""
DRAW_NO_SOURCE = "未指定"
"""Where no public number was named."""

DRAW_OVER: Mapping[str, str] = {
    "review": "审核件",
    "order": "订单",
    "provider": "服务机构",
    "enterprise": "用券企业",
}
"""What is drawn from."""
DRAW_BANDS: Mapping[str, str] = {
    "0": "不涉及金额",
    "1": "不足1万元",
    "2": "1万元至不足5万元",
    "3": "5万元至不足20万元",
    "4": "20万元以上",
}
"""The bands of amounts (``rules/sampling.AMOUNT_BANDS_FEN``)."""
DRAW_PAGE: Mapping[str, str] = {
    "list_title": "抽查公开",
    "list_intro": "以下为各项目的随机抽查。种子摘要先于名单公布，名单锁定后才公布种子，"
    "任何人都可以重新抽取核对。名单只列编号。",
    "empty": "暂无抽查。",
    "next": "下一页",
    "back": "全部抽查",
    "one_title": "第 {number} 号抽查：{name}",
    "title": "抽查事项",
    "programme": "项目",
    "clause": "依据",
    "over": "抽取对象",
    "share": "最低比例",
    "state": "状态",
    "period": "所查期间",
    "announced": "种子摘要公布时间",
    "commitment": "种子摘要（SHA-256）",
    "public_source": "并入的公开号码",
    "public_number": "公开号码",
    "locked_at": "名单锁定时间",
    "list_hash": "名单摘要（SHA-256）",
    "drawn_at": "抽取时间",
    "seed": "种子",
    "counts": "件数",
    "counts_locked": "名单 {items} 件",
    "counts_drawn": "名单 {items} 件，抽中 {drawn} 件，尚未核查 {open} 件",
    "later": "尚未公布",
    "how": "如何重新抽取",
    "how_text": "种子的 SHA-256 应等于事先公布的种子摘要，名单的 SHA-256 应等于锁定时的名单摘要，"
    "由种子、名单摘要和公开号码按公开的算法抽取，结果应与公布的一致。无需登录，也不需要本平台的任何数据。",
    "file": "下载名单文件（JSON）",
    "command": "在装有本平台开源程序的任何电脑上运行：",
    "lines": "锁定名单",
    "line": "编号",
    "stratum": "分层",
    "in_stratum": "第 {provider} 家，{band}（{raw}）",
    "flagged": "必查",
    "yes": "是",
    "turn": "结果",
    "drawn_as": "抽中（第 {turn}）",
}
"""The public page of a draw, and the list of them."""

REDRAWN: Mapping[str, str] = {
    "agrees": "重新抽取一致：名单 {items} 件，抽中 {drawn} 件",
    "format": "文件格式不符",
    "seed": "种子与事先公布的摘要不符",
    "list": "名单与锁定时的摘要不符",
    "drawn": "抽取结果不符",
}
"""What drawing again from a published list comes to."""
