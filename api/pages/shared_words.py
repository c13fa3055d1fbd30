"""What all pages say."""

from types import MappingProxyType
from typing import Final

from api.pages.said import Said, Table

SHARED: Final[Table] = MappingProxyType(
    {
        "skip": Said("Skip to the content", "본문으로 건너뛰기", "本文へ移動", "跳到正文"),
        "languages": Said("Languages", "언어", "言語", "语言"),
        "table": Said("As a table", "표로 보기", "表で見る", "以表格显示"),
        "made_at": Said("As of {time}", "{time} 기준", "{time} 現在", "截至 {time}"),
        "nothing_yet": Said(
            "There is nothing here yet.", "아직 내용이 없습니다.", "まだ何もありません。", "这里还没有内容。"
        ),
        "percent": Said("{value}\N{NO-BREAK SPACE}%", "{value}%", "{value}%", "{value}%"),
        "unknown": Said("–", "–", "–", "–"),
        "comma": Said(", ", ", ", "、", "、"),
        "full_day": Said(
            "{day} {name} {year}", "{year}년 {month}월 {day}일", "{year}年{month}月{day}日", "{year}年{month}月{day}日"
        ),
        "months": Said(
            "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
            "1월 2월 3월 4월 5월 6월 7월 8월 9월 10월 11월 12월",
            "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
            "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
        ),
        "weekdays": Said(
            "Mon Tue Wed Thu Fri Sat Sun", "월 화 수 목 금 토 일", "月 火 水 木 金 土 日", "一 二 三 四 五 六 日"
        ),
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
