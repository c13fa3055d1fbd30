"""Why these questions, in words, in the languages that feedback speaks; others get English."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.learning.candidate import Kind

MOST_TOPICS_NAMED: Final = 3


class Words(msgspec.Struct, frozen=True):
    """The sentences of one language; `{count}` is a number of questions, `{topics}` a list of names."""

    weakness: str
    review: str
    challenge: str
    nothing: str
    comma: str
    gap: str

    def sentence(self, kind: Kind) -> str:
        """The sentence for questions of `kind`."""
        return {Kind.WEAKNESS: self.weakness, Kind.REVIEW: self.review, Kind.CHALLENGE: self.challenge}[kind]


ENGLISH: Final = Words(
    weakness="{count} to practise what went wrong in the last seven days: {topics}.",
    review="{count} to keep earlier topics fresh: {topics}.",
    challenge="{count} to reach a little further: {topics}.",
    nothing="No further questions fit for now: everything suitable was answered correctly.",
    comma=", ",
    gap=" ",
)

WORDS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "en": ENGLISH,
        "ko": Words(
            weakness="최근 7일 동안 틀린 내용을 연습하는 문제 {count}개: {topics}.",
            review="이미 배운 주제를 복습하는 문제 {count}개: {topics}.",
            challenge="한 걸음 더 나아가는 도전 문제 {count}개: {topics}.",
            nothing="지금은 추천할 문제가 더 없습니다. 알맞은 문제를 모두 맞혔습니다.",
            comma=", ",
            gap=" ",
        ),
        "ja": Words(
            weakness="直近7日間に間違えた「{topics}」の練習問題が{count}問。",
            review="学習済みの「{topics}」の復習問題が{count}問。",
            challenge="一歩先へ進む「{topics}」のチャレンジ問題が{count}問。",
            nothing="今のところおすすめできる問題はありません。適した問題はすべて正解済みです。",
            comma="、",
            gap="",
        ),
        "zh": Words(
            weakness="针对最近七天的错误练习{count}道题：{topics}。",
            review="复习学过的主题{count}道题：{topics}。",
            challenge="更进一步的挑战{count}道题：{topics}。",
            nothing="暂时没有更多适合的题目。合适的题目都已答对。",
            comma="、",
            gap="",
        ),
    }
)


def words_for(locale: str) -> Words:
    """The words of a BCP 47 tag's language (`ko`, `ko-KR`, `zh_Hans`); English where we have none."""
    return WORDS.get(primary(locale), ENGLISH)


def primary(locale: str | None) -> str:
    """`zh` of the tags `zh-Hant` and `zh_TW`; empty where there is none."""
    return (locale or "").replace("_", "-").partition("-")[0].lower()


def rationale_for(picks: Sequence[tuple[Kind, str]], locale: str = "en") -> str:
    """A sentence per kind among `picks` (kind and topic of each question), naming its main topics."""
    words = words_for(locale)
    topics: dict[Kind, list[str]] = {}
    for kind, topic in picks:
        topics.setdefault(kind, []).append(topic)
    sentences = [_sentence(words, kind, topics[kind]) for kind in Kind if kind in topics]
    return words.gap.join(sentences) or words.nothing


def _sentence(words: Words, kind: Kind, topics: Sequence[str]) -> str:
    often = sorted(dict.fromkeys(topics), key=topics.count, reverse=True)
    named = words.comma.join(often[:MOST_TOPICS_NAMED])
    return words.sentence(kind).format(count=len(topics), topics=named)
