"""Files: their names, their content, their uploads."""

from __future__ import annotations

from collections.abc import Mapping

FILE_REFUSALS: Mapping[str, str] = {
    "file_unfit": "微信内容安全检查认为这份图片不当，已隐藏；确需查看的，请注明已知悉",
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
    "audio/amr": "AMR 语音",
    "application/zip": "压缩包",
}

MEDIA_TYPE_UNKNOWN = "其他类型的内容"

FILE_WATERMARK = "仅用于服务券申请 · {programme} · {day}"
"""Written over the shown copies of identity papers and licences."""
