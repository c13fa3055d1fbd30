"""What a teacher can do about a sign of risk or a flag, in the languages that feedback speaks; others get English."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pipeline.learning.item_analysis import Flag
from pipeline.learning.risk import Factor, FactorBasis, Sign
from pipeline.prompting.language import select_language

NEVER: Final = "never"

RISK_ACTIONS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "en": {
            Sign.ACCURACY: "Go through the latest wrong answers together, and set easier questions for now.",
            Sign.INACTIVITY: "Get in touch and ask what keeps the learner away; agree on one short session.",
            NEVER: "Check that the learner has access, and agree on a first short session.",
            Sign.COMPLETION: "Plan the next open module with a date, and check whether the pace suits.",
            Sign.WEAKNESSES: "Pick one or two of the weak topics to practise first, instead of all at once.",
        },
        "ko": {
            Sign.ACCURACY: "최근에 틀린 답을 함께 살펴보고, 당분간 더 쉬운 문제를 내 주세요.",
            Sign.INACTIVITY: "연락해서 왜 쉬고 있는지 물어보고, 짧은 학습 한 번을 약속하세요.",
            NEVER: "접속할 수 있는지 확인하고, 짧은 첫 학습을 약속하세요.",
            Sign.COMPLETION: "다음에 열린 모듈의 날짜를 정하고, 속도가 알맞은지 확인하세요.",
            Sign.WEAKNESSES: "약한 주제를 한꺼번에 다루지 말고 한두 개부터 연습하게 하세요.",
        },
        "ja": {
            Sign.ACCURACY: "最近の誤答を一緒に見直し、しばらくはやさしい問題を出してください。",
            Sign.INACTIVITY: "連絡して学習が止まっている理由を聞き、短い学習を一回約束してください。",
            NEVER: "利用できる状態か確かめ、最初の短い学習を約束してください。",
            Sign.COMPLETION: "次に開いているモジュールの期日を決め、ペースが合っているか確かめてください。",
            Sign.WEAKNESSES: "苦手な分野を一度に扱わず、まず一つか二つに絞って練習させてください。",
        },
        "zh": {
            Sign.ACCURACY: "一起看最近答错的题，并暂时布置容易一些的题目。",
            Sign.INACTIVITY: "联系学习者，了解中断的原因，并约定一次简短的学习。",
            NEVER: "确认学习者能够登录，并约定第一次简短的学习。",
            Sign.COMPLETION: "为下一个可学的模块定下日期，并确认进度是否合适。",
            Sign.WEAKNESSES: "不要同时补所有薄弱主题，先选一两个来练习。",
        },
    }
)

FLAG_ACTIONS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "en": {
            Flag.SUSPECT_KEY: "Check the answer key: the strong choose another answer more often than the weak.",
            Flag.TOO_HARD: "Hardly anybody knows it: check the wording and whether it was taught, or raise its level.",
            Flag.TOO_EASY: "Nearly everybody gets it right: keep it as a warm-up, or make its distractors likelier.",
            Flag.LOW_DISCRIMINATION: "It does not tell strong from weak learners: look for ambiguity and giveaways.",
        },
        "ko": {
            Flag.SUSPECT_KEY: "정답을 확인하세요. 실력이 좋은 학습자가 다른 답을 더 자주 고릅니다.",
            Flag.TOO_HARD: "거의 아무도 모릅니다. 문장이 분명한지, 배운 내용인지 확인하거나 난이도를 올리세요.",
            Flag.TOO_EASY: "거의 모두 맞힙니다. 준비 문제로 쓰거나 오답 선택지를 더 그럴듯하게 바꾸세요.",
            Flag.LOW_DISCRIMINATION: "실력 차이를 가려내지 못합니다. 모호한 표현이나 힌트가 있는지 살펴보세요.",
        },
        "ja": {
            Flag.SUSPECT_KEY: "正答の設定を確かめてください。できる学習者ほど別の選択肢を選んでいます。",
            Flag.TOO_HARD: "ほとんど誰も解けません。文面と既習かどうかを確かめるか、難易度を上げてください。",
            Flag.TOO_EASY: "ほぼ全員が正解します。導入問題にするか、誤答の選択肢を紛らわしくしてください。",
            Flag.LOW_DISCRIMINATION: "学力の差を見分けられません。あいまいな表現や手がかりがないか見てください。",
        },
        "zh": {
            Flag.SUSPECT_KEY: "请检查答案：水平高的学习者反而更常选择别的选项。",
            Flag.TOO_HARD: "几乎没有人会：检查表述是否清楚、内容是否教过，或调高难度等级。",
            Flag.TOO_EASY: "几乎人人都对：可作热身题，或让干扰项更有迷惑性。",
            Flag.LOW_DISCRIMINATION: "区分不出水平高低：看看有没有歧义或提示。",
        },
    }
)


def action_for(factor: Factor, locale: str) -> str | None:
    """What to do about a factor; None where it does not count."""
    if not factor.met:
        return None
    actions = RISK_ACTIONS[select_language(locale)]
    return actions[NEVER if factor.basis is FactorBasis.NEVER else factor.sign]


def flag_action(flag: Flag, locale: str) -> str:
    """What to do about a flag."""
    return FLAG_ACTIONS[select_language(locale)][flag]
