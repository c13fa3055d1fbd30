"""Paths and their reasons in words, in the languages that feedback speaks; others get English.

Names stand behind a colon or in brackets, so that no grammar depends on them.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.curriculum.language import primary
from pipeline.curriculum.path import Path
from pipeline.curriculum.reason import ReasonCode, StepReason

MOST_NAMED: Final = 3
TitleOf = Callable[[str], str]
"""The title of a module, by its id."""


class Words(msgspec.Struct, frozen=True):
    """The sentences of one language.

    `{modules}` is a list of titles, `{industry}` a name, `{percent}`, `{count}`, `{hours}`, `{months}` and `{week}` are
    numbers.
    """

    reasons: Mapping[ReasonCode, str]
    summary: str
    mastered: str
    finished: str
    title: str
    comma: str
    more: str
    gap: str


ENGLISH: Final = Words(
    reasons=MappingProxyType(
        {
            ReasonCode.START: "Nothing has to come before it.",
            ReasonCode.PREREQUISITES_MASTERED: "What it builds on is mastered: {modules}.",
            ReasonCode.FOLLOWS: "It builds on: {modules}.",
            ReasonCode.NEEDED: "It is not part of the chosen tracks, but needed for: {modules}.",
            ReasonCode.INDUSTRY: "It matters most in your industry ({industry}).",
            ReasonCode.LEADS_TO_INDUSTRY: "It leads to what matters most in your industry ({industry}): {modules}.",
            ReasonCode.BEGUN: "It is already begun ({percent} % mastered).",
            ReasonCode.OPENS: "It opens: {modules}.",
        }
    ),
    summary="Modules still to learn: {count}. At {week} hours a week, {hours} hours take about {months} months.",
    mastered="Already mastered: {count}.",
    finished="Every module of this path is mastered.",
    title="“{}”",
    comma=", ",
    more=" and {} more",
    gap=" ",
)

WORDS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "en": ENGLISH,
        "ko": Words(
            reasons=MappingProxyType(
                {
                    ReasonCode.START: "먼저 배워야 할 것이 없습니다.",
                    ReasonCode.PREREQUISITES_MASTERED: "필요한 선수 모듈을 모두 익혔습니다: {modules}.",
                    ReasonCode.FOLLOWS: "다음 모듈을 바탕으로 합니다: {modules}.",
                    ReasonCode.NEEDED: "선택한 트랙에는 없지만 다음 모듈에 필요합니다: {modules}.",
                    ReasonCode.INDUSTRY: "해당 산업({industry})에서 특히 중요합니다.",
                    ReasonCode.LEADS_TO_INDUSTRY: "해당 산업({industry})에서 중요한 모듈로 이어집니다: {modules}.",
                    ReasonCode.BEGUN: "이미 시작했습니다(숙달도 {percent}%).",
                    ReasonCode.OPENS: "마치면 다음 모듈이 열립니다: {modules}.",
                }
            ),
            summary="남은 모듈 {count}개, 총 {hours}시간. 주당 {week}시간이면 약 {months}개월 걸립니다.",
            mastered="이미 익힌 모듈: {count}개.",
            finished="이 과정의 모든 모듈을 익혔습니다.",
            title="‘{}’",
            comma=", ",
            more=" 외 {}개",
            gap=" ",
        ),
        "ja": Words(
            reasons=MappingProxyType(
                {
                    ReasonCode.START: "前提となるモジュールはありません。",
                    ReasonCode.PREREQUISITES_MASTERED: "前提となるモジュールは習得済みです：{modules}。",
                    ReasonCode.FOLLOWS: "次のモジュールを土台にしています：{modules}。",
                    ReasonCode.NEEDED: "選んだトラックには含まれませんが、次のモジュールに必要です：{modules}。",
                    ReasonCode.INDUSTRY: "この業界（{industry}）で特に重要です。",
                    ReasonCode.LEADS_TO_INDUSTRY: "この業界（{industry}）で重要なモジュールにつながります：{modules}。",
                    ReasonCode.BEGUN: "すでに始めています（習得度{percent}％）。",
                    ReasonCode.OPENS: "終えると次のモジュールに進めます：{modules}。",
                }
            ),
            summary="残りのモジュールは{count}個、合計{hours}時間です。週{week}時間なら約{months}か月かかります。",
            mastered="習得済みのモジュール：{count}個。",
            finished="このコースのモジュールはすべて習得済みです。",
            title="「{}」",
            comma="、",
            more="ほか{}個",
            gap="",
        ),
        "zh": Words(
            reasons=MappingProxyType(
                {
                    ReasonCode.START: "无需先学其他模块。",
                    ReasonCode.PREREQUISITES_MASTERED: "所需的先修模块都已掌握：{modules}。",
                    ReasonCode.FOLLOWS: "以这些模块为基础：{modules}。",
                    ReasonCode.NEEDED: "不在所选方向之内，但以下模块需要它：{modules}。",
                    ReasonCode.INDUSTRY: "在您的行业（{industry}）中尤为重要。",
                    ReasonCode.LEADS_TO_INDUSTRY: "通往您的行业（{industry}）中的重要模块：{modules}。",
                    ReasonCode.BEGUN: "已经开始学习（掌握度{percent}%）。",
                    ReasonCode.OPENS: "学完后可以学习：{modules}。",
                }
            ),
            summary="还需学习{count}个模块，共{hours}小时。每周学习{week}小时，大约需要{months}个月。",
            mastered="已掌握的模块：{count}个。",
            finished="这条路径的所有模块都已掌握。",
            title="“{}”",
            comma="、",
            more="等另外{}个",
            gap="",
        ),
    }
)


def words_for(locale: str | None) -> Words:
    """The words of a language tag's language; English where we have none."""
    return WORDS.get(primary(locale), ENGLISH)


def why(reasons: Sequence[StepReason], title_of: TitleOf, locale: str | None = None) -> str:
    """The reasons as sentences."""
    words = words_for(locale)
    return words.gap.join(_sentence(reason, title_of, words) for reason in reasons)


def summary(path: Path, locale: str | None = None) -> str:
    """How much there is to learn and how long it takes, as sentences."""
    words = words_for(locale)
    if not path.steps:
        return words.finished
    sentence = words.summary.format(
        count=len(path.steps), hours=_plain(path.hours), week=_plain(path.hours_per_week), months=_plain(path.months)
    )
    mastered = [words.mastered.format(count=len(path.mastered))] if path.mastered else []
    return words.gap.join([sentence, *mastered])


def _sentence(reason: StepReason, title_of: TitleOf, words: Words) -> str:
    return words.reasons[reason.code].format(
        modules=_named([title_of(id_) for id_ in reason.modules], words),
        industry=reason.industry,
        percent=round(100 * (reason.mastery or 0.0)),
    )


def _named(titles: Sequence[str], words: Words) -> str:
    shown = words.comma.join(words.title.format(title) for title in titles[:MOST_NAMED])
    left = len(titles) - MOST_NAMED
    return shown if left <= 0 else shown + words.more.format(left)


def _plain(number: float) -> str:
    """A number with at most one decimal; what is not nothing is not shown as nothing."""
    return f"{max(number, 0.1):,.1f}".removesuffix(".0")
