"""Each recommendation's reason, as data and in words, from what was stored of it.

The words are made when they are shown: they cost no byte in the store, and can be had in any language later on.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.learning.advice import NUMBERS, Because, Why
from pipeline.learning.mistake import Mistake
from pipeline.learning.rationale import primary
from pipeline.learning.weakness import Weakness

PERCENT: Final = 100


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why something is recommended: a code, the numbers behind it, and a sentence.

    `score` and `mistake` are those of the weakness; `overdue_days` and `recall` (the chance to remember) those of the
    review; `days` is how long the topic was not met. Of a project, `met` of its `topics` were met by a learner of
    `level` (1 to 5), and it is meant `for_goal` or `for_industry`.
    """

    code: Why
    text: str
    topic: str | None = None
    score: float | None = None
    mistake: Mistake | None = None
    overdue_days: int | None = None
    recall: float | None = None
    days: int | None = None
    level: int | None = None
    met: int | None = None
    topics: int | None = None
    for_goal: bool | None = None
    for_industry: bool | None = None


class Sentences(msgspec.Struct, frozen=True):
    """What one language says of each reason, and how it calls the kinds of mistakes."""

    reasons: Mapping[Why, str]
    mostly: Mapping[Mistake, str]
    goal: str
    industry: str


ENGLISH: Final = Sentences(
    reasons={
        Why.WEAK: "“{topic}” went wrong in the last seven days{mostly}.",
        Why.DUE: "“{topic}” is due for review: the chance to still know it is about {percent} %.",
        Why.UNSEEN: "“{topic}” last came up {days} day(s) ago.",
        Why.FRESH: "It keeps “{topic}” fresh.",
        Why.STRETCH: "It goes one step further in “{topic}”.",
        Why.NEW: "“{topic}” is new to you.",
        Why.MODULE: "It belongs to the module that teaches “{topic}”.",
        Why.PREREQUISITE: "It explains what “{topic}” builds on.",
        Why.NEXT: "It prepares for the questions on “{topic}”.",
        Why.LEVEL: "Its level fits yours.",
        Why.PROJECT: "It fits your level ({level} of 5); you have met {met} of its {topics} topics{fits}.",
    },
    mostly={
        Mistake.UNANSWERED: ", mostly left blank",
        Mistake.RUSHED: ", mostly in haste",
        Mistake.MISCONCEPTION: ", mostly where you were sure",
        Mistake.SLIP: ", mostly by slips",
        Mistake.INCOMPLETE: ", mostly in part",
        Mistake.GAP: ", mostly for want of knowledge",
    },
    goal=", and it belongs to your career goal",
    industry=", and it is from your industry",
)

SENTENCES: Final[Mapping[str, Sentences]] = MappingProxyType(
    {
        "en": ENGLISH,
        "ko": Sentences(
            reasons={
                Why.WEAK: "최근 7일 동안 ‘{topic}’에서 틀린 답이 있었습니다{mostly}.",
                Why.DUE: "‘{topic}’ 복습할 때가 되었습니다. 아직 기억하고 있을 가능성은 약 {percent}%입니다.",
                Why.UNSEEN: "‘{topic}’ 문제를 {days}일 동안 풀지 않았습니다.",
                Why.FRESH: "‘{topic}’을(를) 잊지 않도록 다시 풀어 보는 문제입니다.",
                Why.STRETCH: "‘{topic}’에서 한 걸음 더 나아가는 문제입니다.",
                Why.NEW: "‘{topic}’은(는) 아직 배우지 않은 주제입니다.",
                Why.MODULE: "‘{topic}’을(를) 가르치는 모듈의 자료입니다.",
                Why.PREREQUISITE: "‘{topic}’의 바탕이 되는 내용을 설명합니다.",
                Why.NEXT: "추천한 ‘{topic}’ 문제를 준비하는 자료입니다.",
                Why.LEVEL: "현재 수준에 맞는 자료입니다.",
                Why.PROJECT: "현재 수준(5단계 중 {level})에 맞고, 주제 {topics}개 중 {met}개를 접해 보았습니다{fits}.",
            },
            mostly={
                Mistake.UNANSWERED: "(대부분 답하지 않음)",
                Mistake.RUSHED: "(대부분 너무 서두름)",
                Mistake.MISCONCEPTION: "(대부분 확신했지만 틀림)",
                Mistake.SLIP: "(대부분 실수)",
                Mistake.INCOMPLETE: "(대부분 일부만 맞음)",
                Mistake.GAP: "(대부분 아직 모름)",
            },
            goal=". 진로 목표와 관련이 있습니다",
            industry=". 관심 산업 분야의 프로젝트입니다",
        ),
        "ja": Sentences(
            reasons={
                Why.WEAK: "直近7日間に「{topic}」で間違いがありました{mostly}。",
                Why.DUE: "「{topic}」の復習の時期です。まだ覚えている見込みは約{percent}％です。",
                Why.UNSEEN: "「{topic}」は{days}日間出題されていません。",
                Why.FRESH: "「{topic}」を忘れないための問題です。",
                Why.STRETCH: "「{topic}」で一歩先へ進む問題です。",
                Why.NEW: "「{topic}」はまだ学んでいないテーマです。",
                Why.MODULE: "「{topic}」を教えるモジュールの教材です。",
                Why.PREREQUISITE: "「{topic}」の土台となる内容を説明しています。",
                Why.NEXT: "おすすめした「{topic}」の問題の準備になります。",
                Why.LEVEL: "今のレベルに合った教材です。",
                Why.PROJECT: "今のレベル（5段階中{level}）に合い、{topics}テーマ中{met}つに取り組みました{fits}。",
            },
            mostly={
                Mistake.UNANSWERED: "（多くは無回答）",
                Mistake.RUSHED: "（多くは急ぎすぎ）",
                Mistake.MISCONCEPTION: "（多くは自信があった答え）",
                Mistake.SLIP: "（多くはうっかりミス）",
                Mistake.INCOMPLETE: "（多くは一部だけ正解）",
                Mistake.GAP: "（多くは知識不足）",
            },
            goal="。目標のキャリアに関連しています",
            industry="。関心のある業界のプロジェクトです",
        ),
        "zh": Sentences(
            reasons={
                Why.WEAK: "最近七天在“{topic}”上出过错{mostly}。",
                Why.DUE: "“{topic}”该复习了：现在还记得的可能性约为{percent}%。",
                Why.UNSEEN: "“{topic}”已有{days}天没有练习。",
                Why.FRESH: "用来巩固“{topic}”。",
                Why.STRETCH: "它让你在“{topic}”上更进一步。",
                Why.NEW: "“{topic}”是尚未学过的主题。",
                Why.MODULE: "它属于讲授“{topic}”的模块。",
                Why.PREREQUISITE: "它讲解“{topic}”的基础内容。",
                Why.NEXT: "它为推荐的“{topic}”题目做准备。",
                Why.LEVEL: "难度适合你目前的水平。",
                Why.PROJECT: "适合你目前的水平（5级中的{level}级），其{topics}个主题中已接触过{met}个{fits}。",
            },
            mostly={
                Mistake.UNANSWERED: "（多为未作答）",
                Mistake.RUSHED: "（多为过于匆忙）",
                Mistake.MISCONCEPTION: "（多为很有把握却答错）",
                Mistake.SLIP: "（多为粗心）",
                Mistake.INCOMPLETE: "（多为只答对一部分）",
                Mistake.GAP: "（多为尚未掌握）",
            },
            goal="，并且与你的职业目标相关",
            industry="，并且来自你所在的行业",
        ),
    }
)


def reason_for(
    because: Because,
    topic: str | None,
    weaknesses: Sequence[Weakness],
    locale: str | None = None,
    names: Mapping[str, str] = MappingProxyType({}),
) -> Reason:
    """The whole of a reason that was stored as `because`; weaknesses are those told beside it.

    Its sentence calls topics by their `names`, where they have one.
    """
    code = Why(str(because[0])) if because else Why.WEAK
    numbers: dict[str, object] = dict(zip(NUMBERS[code], because[1:], strict=False))
    if code is Why.WEAK:
        weak = next((weakness for weakness in weaknesses if weakness.topic == topic), None)
        numbers |= {} if weak is None else {"score": weak.score, "mistake": weak.prevailing}
    known = {"code": code, "topic": topic, **numbers}
    text = words_of(known | {"topic": names.get(topic or "", topic)}, locale)
    return msgspec.convert({**known, "text": text}, Reason)


def words_of(known: Mapping[str, object], locale: str | None) -> str:
    """A reason's sentence in the language of `locale`, or else in English."""
    said = SENTENCES.get(primary(locale), ENGLISH)
    code, mistake = Why(str(known["code"])), known.get("mistake")
    recall = known.get("recall")
    fits = (said.goal if known.get("for_goal") else "") + (said.industry if known.get("for_industry") else "")
    values = {
        **known,
        "mostly": said.mostly[mistake] if isinstance(mistake, Mistake) else "",
        "percent": round(recall * PERCENT) if isinstance(recall, float | int) else "?",
        "fits": fits,
    }
    return said.reasons[code].format_map(values)
