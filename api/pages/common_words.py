"""What all pages say."""

from types import MappingProxyType
from typing import Final

from api.pages.said import Said, Table

COMMON: Final[Table] = MappingProxyType(
    {
        "skip": Said("Skip to the content", "본문으로 건너뛰기", "本文へ移動", "跳到正文"),
        "languages": Said("Languages", "언어", "言語", "语言"),
        "table": Said("As a table", "표로 보기", "表で見る", "以表格显示"),
        "made_at": Said("As of {time}", "{time} 기준", "{time} 現在", "截至 {time}"),
        "nothing_yet": Said(
            "There is nothing here yet.", "아직 내용이 없습니다.", "まだ何もありません。", "这里还没有内容。"
        ),
        "percent": Said("{value} %", "{value}%", "{value}%", "{value}%"),
        "unknown": Said("–", "–", "–", "–"),
        "comma": Said(", ", ", ", "、", "、"),
        "week": Said("Week", "주", "週", "周"),
        "day": Said("Day", "날짜", "日付", "日期"),
        "go_on": Said("Continue", "계속하기", "続ける", "继续"),
        "going_on": Said(
            "One moment, the page is opening.",
            "잠시만 기다려 주세요. 페이지를 여는 중입니다.",
            "少々お待ちください。ページを開いています。",
            "请稍候，正在打开页面。",
        ),
        "try_again": Said("Try again", "다시 시도", "もう一度試す", "重试"),
        "error_title": Said(
            "This page cannot be shown", "페이지를 표시할 수 없습니다", "ページを表示できません", "无法显示此页面"
        ),
        "error_401": Said(
            "The link to this page has expired or is not valid. Please open it anew from your course.",
            "이 페이지의 링크가 만료되었거나 올바르지 않습니다. 강의 화면에서 다시 열어 주세요.",
            "このページへのリンクは期限切れか、正しくありません。コースの画面からもう一度開いてください。",
            "此页面的链接已过期或无效。请从课程中重新打开。",
        ),
        "error_403": Said(
            "This link does not open this page.",
            "이 링크로는 이 페이지를 열 수 없습니다.",
            "このリンクではこのページを開けません。",
            "此链接不能打开这个页面。",
        ),
        "error_404": Said(
            "There is nothing to show here yet.",
            "아직 보여 드릴 내용이 없습니다.",
            "まだ表示できる内容がありません。",
            "这里还没有可显示的内容。",
        ),
        "error_409": Said(
            "There are too many learners to look at now, and there was no nightly assessment yet. Choose a group.",
            "학습자가 너무 많고 아직 야간 평가가 없습니다. 그룹을 선택하세요.",
            "学習者が多すぎ、夜間の判定もまだありません。グループを選んでください。",
            "学习者太多，且还没有夜间评估。请选择一个小组。",
        ),
        "error_422": Said(
            "The address of this page has a mistake in it.",
            "페이지 주소가 올바르지 않습니다.",
            "ページのアドレスに誤りがあります。",
            "此页面的地址有误。",
        ),
        "error_503": Said(
            "The server is busy at the moment. Please try again shortly.",
            "서버가 잠시 응답하지 않습니다. 잠시 후 다시 시도해 주세요.",
            "サーバーが混み合っています。しばらくしてからもう一度お試しください。",
            "服务器暂时繁忙，请稍后再试。",
        ),
        "error_500": Said(
            "Something went wrong on our side.",
            "서버에서 문제가 발생했습니다.",
            "サーバー側で問題が発生しました。",
            "服务器出现了问题。",
        ),
    }
)
