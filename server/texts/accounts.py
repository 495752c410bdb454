"""Signing in and the accounts of staff."""

from __future__ import annotations

from collections.abc import Mapping

ACCOUNT_REFUSALS: Mapping[str, str] = {
    # signing in
    "session_ended": "登录已失效，请重新登录",
    "refresh_token_unknown": "登录凭证无效，请重新登录",
    "refresh_token_reused": "登录凭证被重复使用，为保护您的账号，此设备已退出，请重新登录",
    "account_disabled": "该账号已停用，请联系运营单位",
    "login_code_invalid": "微信登录凭证无效或已过期，请重试",
    "too_many_logins": "登录过于频繁，请在 {retry_after} 秒后重试",
    "login_blocked": "微信提示该账号存在风险，暂时不能登录",
    "wechat_unavailable": "暂时无法连接微信，请在 {retry_after} 秒后重试",
    "wrong_password": "用户名或密码不正确",
    "too_many_wrong_passwords": "密码错误次数过多，请在 {retry_after} 秒后重试",
    "sign_in_busy": "登录的人较多，请在 {retry_after} 秒后重试",
    "second_factor_needed": "请输入动态口令",
    "second_factor_wrong": "动态口令不正确或已使用，请等待下一个口令",
    "one_time_password_over": "一次性密码已过期，请联系账号管理员重新发放",
    "current_password_wrong": "现密码不正确",
    "same_password": "新密码不能与现密码相同",
    "second_factor_enrolled": "已绑定动态口令；如需更换，请联系账号管理员解除",
    "second_factor_not_begun": "请先获取动态口令密钥",
    "demo_account_unknown": "没有这个演示账号",
    # staff accounts
    "username_unusable": "用户名须以小写字母开头，由 3 至 32 个小写字母、数字、点、横线或下划线组成",
    "username_taken": "用户名“{username}”已被使用",
    "staff_role_unknown": "没有“{role}”这个岗位",
    "weak_password": "密码不符合要求",
    "duties_incompatible": "岗位“{role}”不得与其他岗位兼任",
    "district_without_area": "区主管部门须指定负责的区域",
    "area_unknown": "没有“{area}”这个区域，请从省级写起，以“/”分隔",
    "own_account": "不能操作自己的账号，须由其他账号管理员办理",
    "last_administrator": "须至少保留一名可用的账号管理员",
    "account_unchanged": "账号已是这个状态",
}

PASSWORD_RULES: Mapping[str, str] = {
    "password_length": "密码须为 12 至 128 个字符",
    "password_variety": "密码须包含大写字母、小写字母、数字、其他字符中的至少三类",
    "password_holds_username": "密码不能包含用户名",
}
"""What a password must be, by the code of the condition."""
