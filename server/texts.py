"""Texts: every Chinese sentence a user sees, each in one place.

Placeholders in braces are filled from what the raiser knows; a sentence never names a fen but yuan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from server.errors import Refusal

REFUSALS: Mapping[str, str] = {
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
    # orders
    "order_moved_on": "订单刚刚有了变化：{what}。您的操作没有执行，请刷新后再看",
    "step_unmet": "“{step}”有 {count} 处需要处理：{first}",
    "step_done_already": "贵方已办理“{step}”，正在等待{actor}办理",
    "step_too_late": "“{step}”已于 {until} 截止，不能再办理",
    "nothing_to_send_back": "当前没有可以退回的步骤",
    "not_yours_to_open": "按规定由{by}发起，请联系对方",
    "offering_needed": "请先选择要购买的服务产品",
    "other_side_unknown": "没有找到统一社会信用代码为“{uscc}”的单位，请核对代码，或请对方先注册",
    "out_of_scope": "该服务不在服务券支持的范围内：{first}",
    "deal_forbidden": "双方之间的这项服务不能使用服务券：{first}",
    "order_unusable": "订单有 {count} 处需要修改：{first}",
    "voucher_unusable": "这张服务券现在不能用于本订单，请换一张，或不指定服务券",
    "wanted_too_much": "拟用券额 {asked} 元超过本次可用的 {most} 元，请调低后重试",
    "used_too_often": "“{project}”使用服务券的次数已到上限，不能再使用",
    "cannot_decline": "订单已在履行，不能单方拒绝；如不能履行，请双方申请取消",
    "not_yours_to_cancel": "按规定由{by}提出取消，请联系对方",
    "cancellation_incomplete": "取消申请有 {count} 处需要补充：{first}",
    "cancellation_asked_already": "贵方已提出取消申请，请等待对方或运营单位处理",
    "not_held_back": "该订单不需要核对，或已核对",
    "nothing_to_take_back": "贵方没有待处理的取消申请",
    "payment_not_returned": "该笔服务券支付不能退回：可能尚未支付、服务券已过期，或应由对方提出",
    "payment_return_asked": "已经申请退回支付，请等待处理",
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
    # payments
    "payments_unavailable": "暂时无法连接微信支付，请在 {retry_after} 秒后重试",
    "payment_notice_refused": "支付通知无法核验",
    "online_payment_off": "本款项不能在线支付，请通过银行转账并上传回单",
    "nothing_to_pay_now": "当前没有这项应付款，或已经支付，请刷新后再试",
    "no_wechat_account": "本账号没有微信身份，不能在线支付",
    "paper_used_before": "{name}的号码已用于订单 {order}，同一份凭证只能使用一次",
    "escrow_short": "本订单暂存的保证金 {held} 元，不足 {asked} 元",
    "nothing_to_give_back": "这笔款项不需要通过银行退还，或已经退还",
    "bank_reference_unusable": "银行流水号须为6至64位字母或数字",
    "nothing_to_repay": "本订单没有应退的多付款项",
    "repayment_unusable": "退款凭证有 {count} 处不符，请核对",
    # programmes
    "unknown_programme": "没有这个服务券项目或版本",
    # ratings
    "rating_unusable": "评价有 {count} 处需要修改",
    "rated_already": "本订单已经评价",
    "rating_closed": "评价的修改期限已于 {until} 届满",
    "rating_changed": "评价刚被修改，请刷新后再试",
    "rating_answered": "已回复过这条评价，每条评价只能回复一次",
    # what the platform prints
    "text_changed": "文本在签署期间有变化，请重新查看后签署",
    "not_printed_yet": "该文件尚未由双方签署生成",
    # enquiries
    "enquiries_not_here": "{programme}没有需求发布",
    "enquiry_unusable": "需求有 {count} 处需要修改",
    "enquiry_empty": "请至少填写一项需求",
    "enquiry_moved_on": "需求刚有变化，请刷新后再试",
    "enquiry_answered": "贵单位已回复过这项需求，请在原对话中继续",
    "own_enquiry": "不能回复本单位发布的需求",
    # lives and size classes
    "illegal_move": "当前状态不能进行此操作，请刷新后再试",
    "not_permitted_now": "当前状态下不能进行此操作",
    "unknown_industry": "行业代码“{code}”无法对应到中小企业划型标准中的行业，请核对国民经济行业分类代码",
    "figure_missing": "“{industry}”划型需要{figure}，请补充",
    # quotas, deductions and payments
    "quota_exceeded": "申领 {asked} 元超过可领取的 {most} 元",
    "price_unknown": "尚无可以计算补贴的金额",
    "contracts_paused": "预算剩余资金不足，暂停签订合同，落实资金后恢复",
    "budget_below_floor": "年度总额低于规定的最低发放金额",
    "step_out_of_turn": "请先完成：{next}",
    "not_your_step": "“{step}”由{actor}办理",
    "review_over": "本项审核已经结束",
    "not_your_review": "“{step}”由{actor}办理",
    "decided_before": "您已在本项审核中作出过决定，须由他人办理",
    # reviews
    "review_not_returnable": "“{step}”为记录环节，不能退回修改",
    "review_record_incomplete": "办理“{step}”须填写{lacking}",
    "review_not_askable": "本项审核没有可以由您提请的这一环节",
    "review_under_way": "该事项正在审核中，请勿重复提交",
    "case_moved_on": "您打开此件后，{who}于 {when} {what}，请刷新后再办理",
    "review_claimed": "{who}于 {when} 已领取此件，请等待其办理或释放；超过 24 小时未办理的，可以接手",
    "review_not_open": "此件目前{state}，暂不能办理",
    "correction_time_past": "补正期限至少须到明天",
    "opinion_given": "您已对此件出具过评审意见",
    "panel_too_small": "须有至少 {wanted} 名专家出具意见，目前 {given} 名",
    "own_review": "此件由您本人提出，或属于与您有关联的单位，须由他人办理",
    "notice_over": "此件不在公示期内",
    "not_your_objection": "按规定，本项公示由{who}提出异议",
    "objection_answered": "该异议已经答复",
    "search_too_short": "请至少输入 {least} 个字",
    "cursor_unusable": "续页标记与本次查找不符，请从第一页重新查找",
    "fee_out_of_bounds": "监理服务收益 {asked} 元不在允许的范围内",
    # budgets and rounds
    "budget_exists": "“{programme}” {year} 年度的预算已经设立，请追加而不是重新设立",
    "budget_too_small": "年度预算可用 {free} 元，不足 {asked} 元",
    "round_window_impossible": "批次须先开始、后结束，且服务券有效期不得早于批次结束",
    "round_beyond_programme": "批次（{first} 至 {last}）超出了管理办法的有效期",
    "round_beyond_year": "批次（{first} 起，券有效期至 {last}）超出了 {year} 年度；当年未用完的额度不得结转",
    "round_not_for_this_programme": "“{programme}”不按批次发放服务券",
    "not_handed_back": "本项目的服务券不设主动退回",
    "nothing_to_hand_back": "这张券没有可退回的余额：已使用，或正冻结在订单上",
    "hand_back_too_late": "这张券已过退回时限（{at}），不能再退回",
    "voiding_clause_unknown": "“{given}”不是作废服务券的依据，请填写以下条款之一：{known}",
    "voiding_not_returnable": "作废报请不能退回修改：请核定，或不予核定后由运营方重新报请",
    "voucher_moved_on": "这张券刚刚发生了变化，请刷新后再试",
    "pool_exhausted": "批次余额 {left} 元，不够发放 {asked} 元",
    "pool_too_small": "批次余额 {left} 元，不能核减 {asked} 元；已发放的不能收回",
    "round_moved_on": "批次状态刚刚发生了变化，请刷新后再试",
    "round_ranked": "本批次已经排名并发放，不能重新开放",
    # applying in a round that is ranked
    "not_applied_for": "“{programme}”的服务券不以申领排名的方式发放",
    "applying_not_open": "申领尚未开始，请在 {retry_after} 秒后再来",
    "applying_closed": "本批次申领已经截止；本次填写的 {asked} 元未提交；此前的申领仍有效，请留意下一批次",
    "applying_paused": "本批次申领暂停，恢复时间请留意通知；此前已提交的申领不受影响",
    "request_key_reused": "这次请求的编号已用于其他操作，请重新提交",
    "application_withdrawn": "该申领已经撤回",
    "result_not_out": "结果将于 {day} 公布",
    # grabbing
    "round_sold_out": "本批次服务券已领完",
    "round_not_open": "抢券尚未开始，请在 {retry_after} 秒后再来",
    "round_paused": "本批次已暂停发放，恢复时间请留意通知",
    "round_closed": "本批次已结束",
    "not_entitled": "您的企业目前不能在本批次领取服务券",
    "quota_used": "您的企业本年度额度已经用完",
    "grab_key_reused": "这次请求的编号已用于其他批次，请重新点击抢券",
    "too_many_requests": "操作过于频繁，请在 {retry_after} 秒后重试",
    "try_again": "当前人数较多，请在 {retry_after} 秒后重试；您的请求没有丢失，重试不会重复领取",
    "receipt_invalid": "这份回执不是本系统出具的，或内容已被改动",
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
    # qualifications and the blocklist
    "programme_not_running": "“{programme}”目前不在有效期内，不能提交；已保存的内容仍在，请留意主管部门通知",
    "already_applied": "已经提交过申请，请勿重复提交；审核进度和有效期请在“我的资格”查看，临近到期时可以续期",
    "conditions_unmet": "有 {count} 项条件尚未满足，不能通过",
    "labels_unknown": "本项目没有这些企业标识：{names}",
    "reason_missing": "请填写理由",
    "qualification_moved_on": "该申请的状态刚刚发生变化，请刷新后再试",
    "ban_period_impossible": "结束时间须晚于开始时间",
    "ban_already_lifted": "该条记录已经解除",
    "ties_unusable": "申报的关联信息有 {count} 处需要修改",
    "grades_not_here": "“{programme}”不对服务机构评级",
    "grade_unusable": "评级须为其一：{grades}，年度须为 {year} 或上一年度",
    "grade_under_way": "该服务机构本年度的评级正在审核",
    "grade_not_returnable": "评级建议不能退回修改：请予以同意，或不予同意后重新提出",
    "price_reason_missing": "价格与同类相比偏高，请说明理由",
    # suspending and removing providers
    "ground_unknown": "管理办法未规定以此为由停用或清退服务机构，可用的依据：{known}",
    "not_yours_to_hold": "依此条款，由{names}办理",
    "suspension_past": "暂停的截止时间须晚于现在",
    "suspension_over": "该服务机构目前没有被暂停",
    "removed_otherwise": "服务机构的清退须按规定程序办理：请先行暂停，并提出清退",
    "removal_under_way": "该服务机构的清退正在办理",
    "removal_not_returnable": "清退建议不能退回修改：请予以认定，或不予认定后重新提出",
    "not_readmitted": "“{name}”已被清退，限制期内不得重新申报",
    # contracts, what vouchers pay on them, and who may have one for them
    "kind_unknown": "没有这个券种，或需要选择券种",
    "kind_not_announced": "“{kind}”由年度申报通知确定，{year} 年度的通知尚未发布",
    "kind_not_now": "该券种在 {first} 至 {last} 期间办理",
    "not_in_standing": "“{name}”目前不能办理此事项",
    "year_not_open": "{year} 年度的预算尚未设立",
    "nothing_to_pay": "服务券在此没有可抵用的金额",
    "contract_known": "编号为“{number}”的合同已经登记",
    "contract_not_signed": "合同“{number}”尚未签订或已经终止，须先签订合同",
    "period_not_open": "“{title}”目前不接受申请",
    "requested_already": "合同“{number}”已经申请过服务券",
    "request_moved_on": "该申请的状态刚刚发生变化，请刷新后再试",
    "amount_impossible": "核定金额应为大于零的整数，单位为分",
    # official lists and imports
    "label_not_listed": "不能据纸质材料认定{names}：名单上没有该企业（{lists}）；如名单有更新，请先导入",
    "sheet_unreadable": "文件无法读取，请使用下载的模板，以 XLSX 或 CSV（UTF-8 或 GB18030 编码）格式上传",
    "sheet_too_large": "文件过大：不超过 {megabytes} MB、{rows} 行、{columns} 列，请分批导入",
    "sheet_has_macros": "文件含有宏，请另存为不含宏的 XLSX 或 CSV 后重新上传",
    "sheet_unsafe": "文件含有密码、外部链接或实体声明，请另存为普通的 XLSX 或 CSV 后重新上传",
    "import_kind_unknown": "没有这一类导入",
    "import_columns_wrong": "表头不符：{problem}。请使用下载的模板",
    "import_settings_wrong": "导入设置有误：{problem}",
    "import_rows_broken": "有 {count} 行存在错误，未导入任何一行；请下载错误文件，改正后重新上传",
    "import_not_previewed": "文件、设置或现有数据与预览时不同，未导入任何一行；请重新预览并确认",
    "label_already_withdrawn": "该条认定已经撤销",
    "label_held_already": "该名单上已有这一认定",
    "not_on_list": "“{name}”不在服务机构名录内，不能继续注册；请核对机构全称，或向主管部门查询名录",
    "industry_unclear": "“{text}”不能对应到唯一的行业，请填写国民经济行业分类代码或选择行业",
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
    # files
    "file_name_unusable": "文件名不能使用：{problem}，请改名后重新选择",
    "file_unacceptable": "“{name}”有 {count} 处不符合材料要求",
    "file_type_mismatch": "“{name}”按名称应是 {expected}，实际是 {found}，请用原软件另存为正确格式后重新上传",
    "file_broken": "“{name}”无法打开或内容不完整，请重新拍照、扫描或另存后上传",
    "file_locked": "“{name}”设有密码，无法审核，请去除密码后上传",
    "file_active": "“{name}”含有会自动运行或外连的内容，请打印为 PDF 或拍照后上传",
    "file_disguised": "“{name}”中夹带了其他内容，请打印为 PDF 或拍照后上传",
    "file_too_heavy": "“{name}”打开后过大，请降低分辨率或拆分后上传",
    "file_infected": "“{name}”带有病毒特征，未予接收，请先杀毒",
    "evidence_damaged": "这份文件的存档核对不一致，已记录，请联系运营单位",
    "upload_offset_wrong": "已收到 {offset} 字节，请从该处继续上传",
    "upload_overrun": "内容超出所报的大小，最多还可接收 {limit_bytes} 字节",
    "upload_incomplete": "文件尚未传完（已收到 {received} / {size} 字节），请继续上传",
    "upload_finished": "这次上传已经完成",
    "upload_corrupted": "“{name}”在传输中损坏，请重新上传",
    "upload_form_unusable": "请一次只上传一个文件（表单字段名为 file）",
    "upload_type_unusable": "请以 {wanted} 格式发送文件内容",
    "too_many_uploads": "同时进行的上传不能超过 {most} 个，请先完成或取消",
    "storage_full": "贵企业的文件空间（{most} MB）已满，请删除不用的文件或联系运营单位",
    "merge_impossible": "只能把图片和 PDF 合并为一个 PDF，“{name}”须以 .pdf 结尾",
    "merge_too_large": "图片缩小后，“{name}”仍超过 {most} MB，请减少页数",
    "files_unknown": "没有找到编号为 {ids} 的文件，或不属于贵企业",
    "file_in_use": "“{name}”已随材料提交，作为凭证保存，不能删除",
    "view_reason_missing": "请填写查看该材料的理由",
}
"""The sentence of each refusal, by the code of its class."""

FILE_NAME_FAULTS: Mapping[str, str] = {
    "missing": "没有文件名",
    "long": "不得超过 {most} 个字",
    "unseen": "含有看不见的字符",
    "path": "不能以点开头，也不能含有斜杠",
    "device": "与系统保留名称相同",
    "double": "含有两个扩展名",
}
"""What is wrong with the name of a file."""

FILE_HINTS: Mapping[str, str] = {
    "small": "图片较小，文字可能看不清",
    "grey": "图片不是彩色，材料要求彩色",
    "dark": "图片偏暗，请在光线充足处重拍",
    "blurred": "图片可能模糊，请对焦后重拍",
    "scan_preferred": "建议上传扫描件",
    "downscaled": "为不超过大小限制，图片已缩小，请确认仍可看清",
}
"""What may make a reviewer send a photo back; a warning, never a refusal."""

MEDIA_TYPES: Mapping[str, str] = {
    "application/pdf": "PDF 文件",
    "image/jpeg": "JPG 图片",
    "image/png": "PNG 图片",
    "video/mp4": "MP4 视频",
    "application/zip": "压缩包",
}
MEDIA_TYPE_UNKNOWN = "其他类型的内容"
FILE_WATERMARK = "仅用于服务券申请 · {programme} · {day}"
"""Written over the shown copies of identity papers and licences."""

USCC_FAULTS: Mapping[str, str] = {
    "length": "应为 {wanted} 位，现为 {length} 位",
    "letters": "不使用字符 {letters}（数字 0、1、2、5 常被误写作字母 O、I、Z、S）",
    "digits": "前 8 位应为数字",
    "check": "校验位不符，按前 17 位计算末位应为 {wanted}，现为 {own}，请逐位核对",
}
"""What is wrong with a Unified Social Credit Code."""

MOVEMENTS: Mapping[str, str] = {
    "issue": "发放服务券，来自“{round}”，面值 {amount} 元",
    "hold": "下单冻结 {amount} 元",
    "release": "订单取消或结清，解冻 {amount} 元",
    "redeem": "验收核销 {amount} 元",
    "take_back": "支付退回，{amount} 元恢复冻结",
    "disburse": "核销的 {amount} 元已拨付给服务机构",
    "claw_back": "已拨付的 {amount} 元被追回",
    "expire": "到期未用，{amount} 元失效",
    "reclaim": "逾期未下单或未上传合同，收回 {amount} 元",
    "hand_back": "企业退回 {amount} 元",
    "void": "因违规作废 {amount} 元",
    "post_quota": "核定年度配额 {amount} 元",
    "return_expired": "失效的 {amount} 元退回年度资金",
    "return_reclaimed": "收回的 {amount} 元退回年度资金",
    "return_handed_back": "退回的 {amount} 元回到年度资金",
    "return_voided": "作废的 {amount} 元退回年度资金",
}
"""What a movement of money did to a voucher, by its code."""

VOUCHER_DEEDS: Mapping[str, str] = {
    "voucher.granted": "{who}领取，券号 {number}",
    "voucher.use_registered": "{who}登记使用，券号 {number}",
}
"""What else happened to a voucher, by the journal's word for it."""

WHO: Mapping[str, str] = {"person": "本企业人员", "staff": "运营单位", "clock": "系统"}
"""Who did it, by the kind of actor."""

FACT_FAULTS: Mapping[str, str] = {
    "future": "成立日期不得晚于今天",
    "change_future": "变更日期不得晚于今天",
    "name": "名称至少应有两个可见字符",
    "label": "没有“{code}”这个企业标识",
    "no_declaration": "没有“{name}”这个填报项",
    "declaration": "“{name}”的填报内容不符合要求",
}
"""What is wrong with something an enterprise filled in."""

LABEL_SOURCES: Mapping[str, str] = {
    "paper": "审核人员核对纸质材料",
    "not_confirmed": "审核时未获核实",
    "replaced": "名单更新后不再列入",
}
"""What a label rests on besides an official list, and why it counts no more."""

IMPORT_COLUMN: Mapping[str, str] = {
    "uscc": "统一社会信用代码",
    "name": "企业名称",
    "institution": "机构全称",
    "recognition": "认定类别",
    "level": "认定级别",
    "kinds": "服务类型",
    "recognised_in": "认定年度",
    "valid_until": "有效期至",
    "clause": "依据条款",
    "reason": "事由",
    "starts_on": "起始日期",
    "ends_on": "截止日期",
}
"""The header of import templates."""
IMPORT_EXAMPLE: Mapping[str, str] = {
    "name": "示例企业有限公司（导入时忽略本行）",
    "institution": "示例服务中心（导入时忽略本行）",
    "recognition": "省级示范平台",
    "kinds": "信息服务、技术服务",
    "clause": "五（二）",
    "reason": "虚假交易",
}
"""The example row of import templates."""
IMPORT_REPORT: Mapping[str, str] = {"effect": "结果", "faults": "错误"}
IMPORT_IGNORED: frozenset[str] = frozenset({"序号", "备注", *IMPORT_REPORT.values()})
"""Columns that a list may have besides."""
IMPORT_EFFECTS: Mapping[str, str] = {
    "new": "新增",
    "changed": "更新",
    "same": "无变化",
    "broken": "有错误",
}
IMPORT_COLUMNS: Mapping[str, str] = {
    "missing": "缺少“{names}”",
    "unknown": "多出“{names}”",
    "twice": "“{names}”出现了两次",
}
IMPORT_SETTINGS: Mapping[str, str] = {
    "label": "请选择项目和企业标识",
    "providers": "请选择项目；名录不需要选择企业标识",
    "no_recognitions": "该项目没有服务机构认定",
    "blocklist": "限制名单不需要选择企业标识",
}
IMPORT_NOTES: Mapping[str, str] = {"other_name": "该代码在本平台登记的名称为“{name}”，请核对"}

CELL_FAULTS: Mapping[str, str] = {
    "missing": "未填写{name}",
    "long": "内容过长，最多 {most} 个字",
    "unusable": "含有无法使用的字符",
    "number": "数字过长，表格软件会改动末尾几位，请把该列设为文本格式后重新填写",
    "day": "“{text}”不是有效日期，请写作 2024-05-31 或 2024年5月31日",
    "year": "“{text}”不是有效年份，请写作 2024",
    "backwards": "截止日期早于起始日期",
    "label": "本项目没有“{text}”这类机构认定，可填：{names}",
    "level": "“{name}”的认定级别是{wanted}，不是{own}",
    "twice": "与第 {row} 行重复",
    "nobody": "须填写统一社会信用代码或全称",
}
"""What is wrong with one cell or row of an imported table."""

PASSWORD_RULES: Mapping[str, str] = {
    "password_length": "密码须为 12 至 128 个字符",
    "password_variety": "密码须包含大写字母、小写字母、数字、其他字符中的至少三类",
    "password_holds_username": "密码不能包含用户名",
}
"""What a password must be, by the code of the condition."""

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
UNIT_PERSONS = "人"
UNIT_WAN = "万元"
AND = "，且"

LEGAL_FORMS: Mapping[str, str] = {
    "legal_person": "独立法人",
    "public_institution": "事业单位",
    "partnership": "合伙企业",
    "individual": "个体工商户",
}
YES_NO: Mapping[bool, str] = {True: "是", False: "否"}
NOT_STATED = "未填报"
FOR_GOOD = "长期"
LIST = "、"
CLAUSE_OF = "“{programme}”{clause}"
STEP = "；"
LESS = "{own} < {wanted}"

CONDITION: Mapping[str, str] = {
    "registered_in": "注册地为{area}，须为{wanted}",
    "without": "（不含{names}）",
    "legal_form_in": "为{form}，须为{wanted}",
    "industry_in": "行业代码 {code}，须属于：{wanted}",
    "months_at_least": "成立 {own} 个月 < {months} 个月（{from_day} 起满足）",
    "months_at_most": "成立于 {start}，{months} 个月至 {last_day} 止",
    "label_required": "须具备其一：{names}",
    "label_excluded": "现有：{names}",
    "claimed": "自报的{names}未获认定，须在名单上：{lists}",
    "declared": "填报为“{own}”，须为“{wanted}”",
    "barred": "自 {start} 至 {end}，依据{clause}",
    "violations": "违规年度：{years}",
    "operator": "申请单位即为服务券运营单位",
}
"""The comparison behind a condition that is not met."""

LIMITS: Mapping[str, str] = {
    "quota": "年度额度",
    "per_round": "单批次上限",
    "provider": "服务机构收券上限",
    "project_cap": "单个项目上限",
    "contract_cap": "单个合同累计上限",
    "other_categories": "非重点类别合计",
    "budget": "年度预算",
    "kind_budget": "本券种年度资金",
}
"""What a limit is called."""
SHARE_BASES: Mapping[str, str] = {"year_total": "年度总额", "year_issued": "年度已发放额"}
ROOM = "{name} {ceiling} − 已用 {used} = {left}"
SHARE_OF = "{name}（{of} {total} × {rate}）"
FACE_VALUE = "{tier}面额 {amount}"
PART = "{rate} × {base} = {part}"
BALANCE = "余额 {amount}"
WANTED = "拟用 {amount}"
RESULT = "{sums} → {amount}"
PAID_BY_VOUCHER = "服务券 {amount}"
DEPOSIT = "定金 {rate} {amount}"
ESCROW = "保证金 {amount}"
REST = "余款 {amount}"
DIVIDED = "{price} = {parts}"
FEE_BOUNDS = "{low} × {contract} = {least} 至 {high} × {contract} = {most}"

USES: Mapping[str, str] = {
    "uses_per_project": "每个服务项目最多使用 {most} 次服务券",
    "vouchers_per_order": "每笔订单最多使用 {most} 张服务券",
    "projects_per_contract": "每个合同最多包含 {most} 个服务项目",
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
AMOUNTS: Mapping[str, str] = {
    "full_price": "{name}须为全额（企业自付加服务券）",
    "own_share": "{name}金额须等于企业自付部分",
    "voucher_sum": "{name}金额须等于服务券抵用总额",
    "own_share_at_least": "{name}金额不足企业自付部分的最低要求",
}
PAPERS: Mapping[str, str] = {
    "missing": "缺少{name}",
    "one_of": "须提交其一：{names}",
    "too_many": "{name}份数过多",
    "field": "未填写{name}",
    "sealed": "{name}须加盖清晰可辨的公章",
    "hand_signed": "{name}须由本人亲笔签字，不能用签章代替",
    "names_match": "{name}上的单位名称须与合同和印章一致",
    "dated_this_year": "{name}的日期须在当年",
    "in_service_window": "{name}的日期须在补助的服务时间范围内",
    "extension": "文件格式须为：{wanted}",
    "size": "文件过大",
    "single_pdf": "多页资料须按顺序合并为一个 PDF",
}
"""What is missing or wrong with the papers."""
PAPER_SIDES: Mapping[str, tuple[str, str]] = {
    "invoice": ("购买方", "销售方"),
    "receipt": ("付款方", "收款方"),
}
"""What the two sides of a paper are called."""
PAPER_CHECKS: Mapping[str, str] = {
    "invoice_number": "{name}须填写20位发票号码；旧版发票填写发票代码和8位号码，财政票据填写票据代码和号码",
    "reference": "{name}须填写银行回单上的流水号（6至64位字母或数字）",
    "twice": "{name}的号码重复：同一份凭证只算一次",
    "used_before": "{name}的号码已用于订单 {order}，同一份凭证只能使用一次",
    "amount": "{name}须填写金额",
    "amount_differs": "{name}金额与应付金额不符",
    "dated": "{name}须填写日期",
    "in_the_future": "{name}的日期晚于今天",
    "before_contract": "{name}的日期早于合同签订日期",
    "payer_missing": "{name}须填写{payer}名称",
    "payee_missing": "{name}须填写{payee}名称",
    "payer": "{name}的{payer}须与合同当事人名称一致",
    "payee": "{name}的{payee}须与合同当事人或运营单位名称一致",
}
"""What is wrong with the number, amount, day or names on a paper."""
DECLARED: Mapping[str, Mapping[str, str]] = {
    "invoice": {
        "number": "发票号码",
        "amount": "发票金额",
        "dated": "开票日期",
        "payer": "购买方名称",
        "payee": "销售方名称",
    },
    "receipt": {
        "number": "银行流水号",
        "amount": "付款金额",
        "dated": "付款日期",
        "payer": "付款方名称",
        "payee": "收款方名称",
    },
}
"""What is filled in where a programme asks for no paper."""
PAYMENT_PURPOSES: Mapping[str, str] = {
    "deposit": "定金",
    "balance": "余款",
    "own_share": "企业自付部分",
    "escrow": "保证金",
    "repayment": "多付款项的退回",
}
"""What a payment is for."""
PAYMENT_UNPAID = "{purpose} {amount} 元尚未支付"
PAYMENT_TITLE = "{purpose}（订单 {order}）"
PAYMENT_RETURNED = "订单 {order} 已结束，退还{purpose}"
PREPAID = "已付 {paid} + 服务券 {voucher} − 发票 {invoice} − 已退 {back} = {due}"
REPAYMENT_RECEIPT = "退款转账凭证"
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
PRINTED_TITLES: Mapping[str, str] = {
    "contract": "服务合同",
    "service_confirmation": "服务确认书",
}
"""What the platform prints, by what it is."""
PRINTED: Mapping[str, str] = {
    "money": "{amount} 元",
    "day": "{day:%Y}年{day.month}月{day.day}日",
    "agreed": "以双方约定为准",
    "order": "订单编号",
    "contract": "合同编号",
    "category": "服务类别",
    "service": "服务事项",
    "offering": "服务产品",
    "project": "服务项目",
    "contract_fen": "合同金额（含税）",
    "invoice_fen": "发票金额",
    "actual_fee_fen": "实际服务费用",
    "list_price": "服务产品标价",
    "starts_on": "服务开始日期",
    "acceptance_on": "验收日期",
    "signed_on": "合同签订日期",
    "voucher": "服务券抵扣",
    "own": "企业自付",
    "clause": "依据",
    "arithmetic": "计算过程",
    "deposit": "甲方在合同签订后支付定金，为合同金额的 {rate}，计 {amount} 元，定金抵作价款。",
    "escrow": "价款中企业自付部分由甲方支付至运营单位代管，服务结算后支付乙方。",
    "rest": "其余价款由甲方在服务完成后按约定支付乙方。",
    "ending": "合同无法履行需要解除的，由{who}提出{written}{approved}。",
    "written": "书面申请",
    "unwritten": "申请",
    "approved": "，经{who}审核同意",
    "losses": "因解除发生的费用和损失由双方自行协商处理。",
    "footnote": "文本摘要（SHA-256）{sha256}",
    "platform": "平台确认",
    "signer": "{place} {name}",
    "name": "单位名称",
    "uscc": "统一社会信用代码",
    "choice": "□ {choice}",
    "chosen": "☑ {choice}",
    "seal": "（加盖公章）",
    "signature": "（签字）",
    "agreed_by": "确认人",
    "agreed_at": "确认时间",
    "text_sha256": "确认文本摘要（SHA-256）",
}
"""Words on what the platform prints that are not in its templates."""
MEMBER_ROLES: Mapping[str, str] = {
    "legal_representative": "法定代表人",
    "handler": "经办人",
    "staff": "员工",
}
RATING_TAGS: tuple[str, ...] = (
    "响应及时",
    "专业规范",
    "价格合理",
    "按期交付",
    "成果符合约定",
    "沟通不畅",
    "未按期交付",
    "成果与约定不符",
    "另外收费",
)
"""Short remarks that a rating may carry."""
RATING_FIELDS: Mapping[str, str] = {
    "rating": "服务评价",
    "rating_tags": "评价标签（可多选，以“、”分隔）",
    "rating_words": "评价内容",
}
RATING_FAULTS: Mapping[str, str] = {
    "level": "请选择服务评价：{scale}",
    "tags": "没有这些评价标签：{tags}",
    "too_many_tags": "评价标签最多选 {most} 个",
    "words": "评价内容不得超过 {most} 字",
}
RATING_SOMEBODY = "某企业"
"""Instead of a name in what is said of a service."""
ENQUIRY_FAULTS: Mapping[str, str] = {
    "unknown": "需求中没有这一项",
    "range": "“{name}”不得高于“{other}”",
}
ENQUIRY_TITLE = "需求发布：{what}"
ENQUIRY_TITLE_PLAIN = "未写明产品类型"
ENQUIRY_CHECKS: Mapping[str, str] = {"standing": "发布单位的用券资格有效"}
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
ORDER_FIELDS: Mapping[str, str] = {
    "amount_fen": "合同金额（元，含税）",
    "contract_number": "合同编号",
    "signed_on": "合同签订日期",
    "enterprise_name": "合同上的企业名称",
    "provider_name": "合同上的服务机构名称",
    "service_starts_on": "服务开始日期",
    "acceptance_on": "验收日期",
    "unrelated_fen": "与所订服务无关的金额（元）",
    "price_reason": "价格说明（高于公布价或同类通常价格时必填）",
    "matches_offering": "合同的服务名称、内容与所订服务产品一致",
    "consistent_with_past": "合同格式、金额依据与历史同类合同或模板一致",
    "names_price_parts": "合同列明价格、补贴和净价",
    "round_id": "申请的批次（不填为当前开放的批次）",
    "completed_on": "服务完成日期",
    "actual_fee_fen": "实际发生的服务费（元，含税）",
    "voucher_fen": "实际支付的服务券金额（元）",
    "wanted_fen": "拟使用的服务券额度（元，不填为可用的最高额）",
}
"""The fields of an order's steps, by code."""

STEP_FIELD_FAULTS: Mapping[str, str] = {
    "unknown": "这一步没有“{name}”这一项",
    "missing": "请填写“{name}”",
    "text": "“{name}”应为文字",
    "too_long": "“{name}”太长",
    "money": "“{name}”应为不小于零的金额",
    "count": "“{name}”应为不小于零的整数",
    "yes_no": "“{name}”请选择是或否",
    "date": "“{name}”应为有效日期，如 2026-05-18",
    "choice": "“{name}”请从选项中选择",
    "paper_unknown": "这一步不需要材料“{name}”",
    "no_file": "请上传“{name}”的文件",
}
"""What is wrong with what was filled in for a step."""

ORDER_FAULTS: Mapping[str, str] = {
    "price": "请填写约定的价格",
    "project": "请填写服务项目名称",
    "category": "请选择服务类别",
    "values_later": "合同内容请在订单建立后的合同步骤中填写",
}
"""What is wrong with an order that is opened."""

ORDER_STATUSES: Mapping[str, str] = {
    "open": "办理中",
    "on_hold": "运营单位核对中，请等待",
    "waiting": "双方已签署，年度资金不足，按签署先后排队等待",
    "cancelling": "已申请取消，等待处理",
    "done": "服务已完成，可以申请兑付",
    "declined": "服务机构未接单，服务券额度已退回",
    "cancelled": "已取消，服务券额度已退回",
    "lapsed": "逾期未办理，订单已终止",
}
"""Where an order stands."""

TURN = "请{who}办理：{step}"
TURN_UNTIL = "，截止 {until}"
YOU = "贵方"
STEP_DONE = "{who}已办理“{step}”"
STEP_SENT_BACK = "“{step}”已被退回{who}"
SETTLES_ELSEWHERE = "在结算中办理"
AHEAD_IN_LINE = "前面还有 {count} 份合同等待年度资金"
HELD = "已冻结 {amount}"
LAPSED = "{who}未在期限内办理“{step}”"
TAKEN_BACK = "申请方撤回取消申请"
CANCELLATION_TITLE = "取消订单：{project}（{number}）"
CANCELLATION_CHECK = "双方已提出取消申请；同意后 {amount} 元退回服务券"
PAYMENT_RETURN_TITLE = "退回服务券支付：{project}（{number}）"
PAYMENT_RETURN_CHECK = "服务券仍在有效期内；同意后 {amount} 元退回支付前的状态"

DELIVERY: Mapping[str, str] = {
    "completed_later": "服务完成日期不得晚于今天",
    "completed_before": "服务完成日期不得早于合同开始日期",
    "outside_window": "服务完成日期须在补助的服务时间范围内",
    "dearer": "实际发生的服务费应大于零且不超过合同约定的 {agreed} 元",
    "nothing": "按发票金额计算，没有可以支付的服务券金额",
    "pays_too_much": "实际支付的服务券金额不得超过 {most} 元",
}
"""What is wrong with a delivery, or with what is paid by voucher."""

CONTRACT: Mapping[str, str] = {
    "precedes_order": "合同签订日期不得早于下单日期",
    "ends_before_start": "验收日期不得早于服务开始日期",
    "no_amount": "合同金额应大于零",
    "all_unrelated": "与服务无关的金额应小于合同金额",
    "fees_beyond": "同一合同下各项目的服务费合计不得超过合同金额",
    "other_amount": "该编号的合同登记的金额不同",
    "signed_this_year": "合同签订时间须为当年",
    "in_service_window": "服务开始和验收时间须在补助的服务时间范围内",
    "names_match": "合同双方名称须与注册的名称一致",
    "matches_offering": "合同服务名称和内容须与所下单的服务产品一致",
    "consistent_with_past": "合同格式和金额依据须与历史同类合同或模板一致",
    "names_price_parts": "合同须列明价格、补贴和净价",
    "day_missing": "请填写合同签订日期",
    "day_recorded_here": "电子合同的签订日期由平台记录，无须填写",
    "signed_later": "合同签订日期不得晚于今天",
    "outside_validity": "合同签订日期须在管理办法的有效期内",
    "same_party": "合同双方不能是同一单位",
    "name_then": "合同上的名称“{name}”与该单位在 {day} 的登记名称（{registered}）不一致",
    "not_rated": "企业尚未评价",
    "other_year": "成效须在兑付当年取得",
}
"""What is wrong with a contract, or keeps an order from being settled."""
NONE_LEFT = "本期余额 0.00 元 < {asked} 元"
REST_OF_PERIOD = "本期余额 {left} 元不足 {asked} 元，按余额发放"
PERIOD_LAPSED = "本期服务券的有效期已过，不再发放"
VOIDING_TITLE = "服务券作废：{number}"
VOIDING_CHECK = "服务券 {number}（面值 {amount} 元）可以作废"
"""What the system finds about a voucher that is to be voided."""
GRADE_TITLE = "服务机构评级：{name}（{year} 年度，{grade}）"
GRADE_STEP = "服务机构评级"
GRADE_CHECK = "履约和评价数据与提出评级时一致"
REMOVAL_TITLE = "清退服务机构：{name}"
REMOVAL_CHECK = "该服务机构目前具有可以终止的资格"
REQUEST_TITLE = "服务券申请：{project}（合同 {number}）"
REQUEST_CHECKS: Mapping[str, str] = {
    "contract_signed": "服务合同已经签订",
    "amount": "按合同和年度额度可用 {amount} 元",
}
"""What the system finds about a request for a voucher on a contract."""
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
FAIR_PRICE: Mapping[str, str] = {
    "above_list": "价格高于该服务产品公布的价格",
    "above_own": "价格高于该服务机构同一产品其他合同的通常价格",
    "above_category": "价格高于其他服务机构同类服务的通常价格",
    "limit": "{price} > {limit}（{base} 上浮 {rate} 以内）",
    "list": "公布价 {amount}",
    "median": "{count} 份合同的中位数 {amount}",
}
"""Why a price asks for its reason, and the comparison behind it."""
CANCELLATION = "{actor}尚未提交取消订单申请"
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

REVIEW_STATUSES: Mapping[str, str] = {
    "open": "办理中",
    "returned": "已退回申请单位修改",
    "on_notice": "正在公示",
    "passed": "已通过",
    "refused": "未通过",
    "withdrawn": "已撤回",
}
"""The state of a case under review."""
REVIEW_DEEDS: Mapping[str, str] = {
    "opened": "提交了此件",
    "approved": "作出了通过的决定",
    "returned": "退回申请单位修改",
    "rejected": "作出了不通过的决定",
    "answered": "答复了公示异议",
    "objected": "提出了公示异议",
    "resubmitted": "修改后重新提交",
    "withdrawn": "撤回了申请",
    "put_up": "将此件公示",
    "taken_down": "结束了公示",
}
"""What somebody did to a case meanwhile, by the journal's word for it."""
REVIEW_WHO: Mapping[str, str] = {"person": "申请单位或异议人", "clock": "系统"}
REVIEW_TURN_YOURS = "贵单位"
REVIEW_INSTANT = "%Y-%m-%d %H:%M"
REVIEW_RECORD: Mapping[str, str] = {
    "score": "评分（0 至 100）",
    "held_on": "会议日期（不晚于今天）",
}
"""What a kind of step asks to be put down."""

PAGE_CLAUSE = "依据{article}"
PAGE_ASSUMED = "【假设】"
PAGE_NOTHING = "（无）"
PAGE_MONEY = "{amount} 元"
PAGE_ASSUMPTIONS = "假设（{count} 项，原文未写或须解释）"
PAGE_UNCOVERED = "没有条文涉及的部分（{count}）：{parts}"
"""The page of a programme that officials review."""

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


class TextsIncomplete(Exception):
    """Refusals and their sentences do not match one to one; the message names each difference."""


def check_complete(classes: Iterable[type[Refusal]]) -> None:
    """Raise :class:`TextsIncomplete` unless every code has a sentence and every sentence a code.

    Two classes with one code and different statuses are refused too: a code is one fact.
    """
    statuses: dict[str, set[int]] = {}
    for refusal in classes:
        statuses.setdefault(refusal.code, set()).add(refusal.status)
    differences = [
        *(f"no sentence for {code}" for code in sorted(statuses.keys() - REFUSALS.keys())),
        *(f"no refusal for {code}" for code in sorted(REFUSALS.keys() - statuses.keys())),
        *(f"{code} has statuses {sorted(both)}" for code, both in sorted(statuses.items()) if len(both) > 1),
        *(
            f"no title for status {status}"
            for status in sorted(
                {status for both in statuses.values() for status in both} - STATUS_TITLES.keys()
            )
        ),
    ]
    if differences:
        raise TextsIncomplete("; ".join(differences))


REASONS: Mapping[str, str] = {
    "time_over": "批次时间已到",
    "round_full": "优先申领已占满本批次资金，停止申领",
    "notice_over": "公示期满，没有影响办理的异议",
    "suspension_over": "暂停期满",
    "removed": "已被清退",
}
"""Why the clock did a thing."""

DEMO: Mapping[str, str] = {
    "person": "演示用户 {account}",
    "enterprise": "演示企业 {programme} {number} 号有限公司",
    "provider": "演示服务机构 {programme} {number} 号有限公司",
    "refused": "演示：不符合条件",
    "returned": "演示：请核对申请表后重新提交",
    "list": "演示名单",
    "size": "小型",
    "somebody": "李明",
    "contract": "演示合同-1",
    "project": "数字化诊断",
    "open_round": "演示批次（正在发放）",
    "next_round": "演示批次（即将开始）",
    "clocks": "各项目的演示时钟（真实日期加固定偏移）：",
    "accounts": "演示账号（工作人员密码均为 {password}）：",
    "people": "1、2、3 已通过审核，1b 是 1 的同事，no 不符合条件，"
    "waiting 待审核，returned 被退回，p1、p2 为服务机构",
    "log_in": "以演示账号登录：",
    "selection": "演示征集（正在进行）",
    "basic": "{service}（基础）",
    "full": "{service}（含实施与回访）",
    "all_of_it": "全域",
    "similar": "同类产品 {number}",
    "said": "{name}：围绕{service}，按合同约定执行",
    "kept": "过程留痕，成果可核验",
}
"""What the demonstration says."""
DEMO_OFFERINGS = ("{service}标准服务", "{service}年度服务", "{service}快速服务", "{service}定制服务")
"""What the products of the demonstration are called."""

READINESS: Mapping[str, str] = {
    "not_qualified": "尚未申请本项目的用券资格",
    "qualification_pending": "用券资格正在审核",
    "qualification_refused": "用券资格审核未通过",
    "qualification_revoked": "用券资格已被取消",
    "qualification_expired": "用券资格已到期，请续期",
    "qualification_suspended": "资格已被暂停",
    "qualification_delisted": "已被清退，不再具有资格",
    "barred": "企业在限制名单中",
    "no_tier": "没有适用于本企业的额度档次",
    "quota_used": "本年度额度已经用完",
}
"""What stands between an enterprise and a voucher, by code."""
PROVIDER_STANDING: Mapping[str, str] = {
    "not_qualified": "“{name}”不是本项目的服务机构",
    "provider_pending": "“{name}”的服务机构资格正在审核",
    "provider_refused": "“{name}”的服务机构资格审核未通过",
    "provider_revoked": "“{name}”的服务机构资格已被取消",
    "provider_expired": "“{name}”的服务机构资格已到期，续期前不能新办业务",
    "provider_suspended": "“{name}”的服务机构资格已暂停",
    "provider_delisted": "“{name}”已被清退",
    "barred": "“{name}”在限制名单中",
}
"""What keeps a provider from something, by code."""
PROVIDER_ACTS: Mapping[str, str] = {
    "publish": "发布服务产品",
    "take_orders": "承接新订单、签订合同",
    "finish_orders": "继续履行已签订的合同",
    "settle": "申请兑付",
}
"""What a provider does, by code."""


NOTICES: Mapping[str, tuple[str, str]] = {
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
    "rating.received": ("收到新的评价", "贵单位在“{programme}”收到一条新的服务评价，可以回复一次。"),
    "rating.answered": ("评价已获回复", "服务机构回复了贵单位在“{programme}”的评价。"),
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
    "review.due": ("审核期限临近", "“{title}”（{number}）的“{step}”须在 {until} 前办理，{days}。"),
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
    "blocklist.lifted": ("已移出限制名单", "您的企业已被移出限制名单。原因：{reason}"),
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
    "voucher.reclaim": ("服务券已收回", "服务券 {number} 逾期未下单，{amount} 元已收回。"),
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
STANDINGS: Mapping[str, str] = {"enterprise": "用券资格", "provider": "服务机构资格"}
"""What an approval is called in a message, by party."""
NEXT_STEPS: Mapping[str, str] = {
    "enterprise": "服务券发放时可以在本小程序领取；领取后请在期限内选择服务机构下单、签订合同，按规定使用。",
    "provider": "账号已经开通，可以为持券企业提供服务，请按规定办理业务。",
}
"""What an approval lets a party do, and how to go on."""
NOTICE_OF_ANYTHING = ("系统通知", "您有一条新的通知，请查看详情。")
NOTICE_UNKNOWN = "—"
DAYS_LEFT = "还有 {days} 天"
LAST_DAY = "今天截止"
INSTANT = "{at:%Y}年{at.month}月{at.day}日 {at:%H:%M}"
END_OF_DAY = "{day:%Y}年{day.month}月{day.day}日 24:00"
PROVISIONAL = "{day}（暂定，以公布的放假安排为准）"

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
    "resume_contracts": "年度资金到位后，按签署先后使等待的合同生效",
    "lapse_orders": "终止逾期未办理的订单",
    "print_documents": "生成双方已签署的合同和确认书",
    "deliver_outbox": "投递站内消息",
    "close_rounds": "关闭到期批次",
    "rank_rounds": "截止批次的排名与发放",
    "tell_results": "告知申领结果",
    "issue_requests": "向已审核的申请发放服务券",
    "allot_quotas": "核定并发放年度额度",
    "settle_bans": "限制名单生效与到期",
    "close_notices": "结束期满的公示",
    "expire_approvals": "到期的资格停用或续存",
    "settle_payments": "核实在线支付结果，退还应退款项",
    "settle_labels": "企业标识到期",
    "end_catalogues": "年度服务产品目录期满下架",
    "recheck_listings": "核对服务超市的上架信息",
    "end_suspensions": "期满的暂停解除",
    "recompute_deadlines": "按新公布的放假安排重算暂定的期限",
    "expire_vouchers": "服务券到期失效",
    "reclaim_vouchers": "逾期未下单的服务券收回",
    "send_reminders": "发送期限提醒",
    "sweep_files": "清理未完成的上传",
    "forget_sessions": "清理失效的登录",
    "forget_job_runs": "清理任务记录",
}
"""What each job of the schedule does, by its name."""
JOB_EVERY = "每 {seconds} 秒"
JOB_DAILY = "每天 {at:%H:%M}（北京时间，按项目时钟）"


def sentence(refusal: Refusal) -> str:
    """The one Chinese sentence of a refusal, its values filled in."""
    return REFUSALS[refusal.code].format_map({**refusal.values, "retry_after": refusal.retry_after})
