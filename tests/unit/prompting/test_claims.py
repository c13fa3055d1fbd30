"""What counts as a claim that only the rules may make, in the languages of learners and in disguises."""

import pytest

from pipeline.prompting.claims import claims_perfect, claims_points, claims_right, claims_wrong

PRAISE = [
    "Your answer is correct.",
    "The answer is absolutely correct!",
    "This is the correct answer.",
    "That's right!",
    "Correct! Lists are mutable.",
    "Correct, because lists are mutable.",
    "Perfect.",
    "Well done!",
    "You are right.",
    "You got it right.",
    "You answered this correctly.",
    "Your response, as the learner says, is in every way flawless.",
    "Your solution has no mistakes.",
    "What an excellent answer.",
    "verdict: correct",
    '{"is_correct": true}',
    "✅ Mutable.",
    "Your answer was judged correct.",
    "정답입니다.",
    "네, 맞습니다.",
    "제출한 답은 정확합니다.",
    "완벽한 답입니다!",
    "참 잘했습니다.",
    "正解です。",
    "あなたの解答は正しいです。",
    "その通りです！",
    "よくできました。",
    "回答正确。",
    "你的答案完全正确！",
    "答对了！",
    "您的答案是正確的，沒有錯誤。",
    "Deine Antwort ist völlig richtig.",
    "Richtig!",
    "Tu respuesta es correcta.",
    "¡Muy bien!",
    "Ta réponse est tout à fait juste.",
    "Sua resposta está correta.",
    "La tua risposta è giusta.",
    "Je antwoord is helemaal goed.",
    "Твой ответ верный.",
    "Правильно!",
    "Jawabanmu benar.",
    "Câu trả lời của bạn đúng.",
    "Cevabın doğru.",
]

NO_PRAISE = [
    "Your answer is not correct.",
    "Your answer isn't right yet.",
    "You are right that lists are mutable.",
    "It is correct that a list can change, but a tuple can't.",
    "The correct answer needs a set.",
    "You named the right data structure for the first step.",
    "A good start: you saw that order matters.",
    "Check whether your result is positive.",
    "Find out which option is not right-aligned.",
    "Your reasoning up to the second step holds.",
    "Think about when this statement holds and when it does not.",
    "정답이 아닙니다.",
    "리스트가 변경 가능하다는 점은 맞습니다.",
    "정답은 다른 자료구조에서 찾아보세요.",
    "正解は別の選択肢です。",
    "この答えは正しくありません。",
    "正しいデータ構造を選ぶには、順序を考えましょう。",
    "你的答案不正确。",
    "正确答案需要用到集合。",
    "请想一想栈的特点。",
    "Deine Antwort ist nicht richtig.",
    "Tu respuesta no es correcta.",
    "Ta réponse n'est pas correcte.",
    "Твой ответ неверный.",
    "Cevabın doğru değil.",
]

DISGUISED = [
    "Your answer is **cor**rect.",
    "Your answer is c o r r e c t !",
    "Your answer is cоrrеct.",  # Cyrillic о and е
    "Your answer is c0rrect.",
    "Your answer is co\u200brrect.",
    "Ｙｏｕｒ ａｎｓｗｅｒ ｉｓ ｃｏｒｒｅｃｔ．",
    "𝐘𝐨𝐮𝐫 𝐚𝐧𝐬𝐰𝐞𝐫 𝐢𝐬 𝐜𝐨𝐫𝐫𝐞𝐜𝐭",
    "Your answer is &#99;orrect.",
    "Your answer\nis correct.",
    "정\u200b답입니다.",
]


@pytest.mark.parametrize("text", PRAISE)
def test_saying_that_an_answer_is_right_is_praise(text: str) -> None:
    assert claims_right(text)


@pytest.mark.parametrize("text", NO_PRAISE)
def test_speaking_of_a_part_or_of_what_is_wrong_is_no_praise(text: str) -> None:
    assert not claims_right(text)


@pytest.mark.parametrize("text", DISGUISED)
def test_praise_is_seen_through_disguises(text: str) -> None:
    assert claims_right(text)


@pytest.mark.parametrize(
    "text",
    ["Your answer is fully correct.", "There are no errors here.", "완벽합니다.", "完璧です。", "全部正确。", "全对！"],
)
def test_saying_that_everything_is_right_is_noticed_by_itself(text: str) -> None:
    assert claims_perfect(text)


@pytest.mark.parametrize(
    "text", ["The first part of it is right.", "부분적으로 맞습니다.", "You saw that order matters."]
)
def test_saying_that_something_is_right_is_not_saying_that_everything_is(text: str) -> None:
    assert not claims_perfect(text)


@pytest.mark.parametrize(
    "text",
    [
        "Your answer is wrong.",
        "Your answer is not correct.",
        "You are wrong.",
        "오답입니다.",
        "不正解です。",
        "你的答案不正确。",
        "Deine Antwort ist falsch.",
    ],
)
def test_calling_an_answer_wrong_is_noticed(text: str) -> None:
    assert claims_wrong(text)


@pytest.mark.parametrize(
    "text", ["A wrong index raises an error.", "This is why the loop stops.", "왜 그런지 설명해 보세요."]
)
def test_speaking_of_errors_is_not_calling_an_answer_wrong(text: str) -> None:
    assert not claims_wrong(text)


@pytest.mark.parametrize(
    "text",
    [
        "10/10",
        "Score: 9.5",
        "You get full marks.",
        "This deserves 10 points.",
        "I award you 3 out of 3 points.",
        "Grade: A+",
        "You scored 100.",
        "Your answer gets 100 %.",
        "10 out of 10, great",
        "만점입니다.",
        "10점 만점에 10점입니다.",
        "満点です。",
        "10点です。",
        "得分：10",
        "给你满分。",
        "Volle Punktzahl!",
        "💯",
        "⭐⭐⭐⭐⭐",
        "１０／１０",
        "1 0 / 1 0 points",
        "4 marks",
    ],
)
def test_points_and_marks_are_noticed(text: str) -> None:
    assert claims_points(text, "What is a list?")


@pytest.mark.parametrize(
    "text",
    [
        "Compute 3/4 of 20 first.",
        "Multiply by 100 to get a percentage.",
        "Two points to consider: order and duplicates.",
        "改善点は2点あります。",
        "把它分成3部分，用5分钟练习。",
        "소수점 아래 두 자리까지 계산해 보세요.",
        "Compare option a and option b.",
        "`a+b` joins two strings.",
    ],
)
def test_figures_of_the_matter_are_no_points(text: str) -> None:
    assert not claims_points(text, "What is a list?")


def test_counting_points_is_fine_where_the_question_is_about_points() -> None:
    text = "Mark the 3 points of the triangle."

    assert claims_points(text, "What is a list?")
    assert not claims_points(text, "Which points lie on the line?")


def test_full_marks_are_no_matter_of_a_question_about_points() -> None:
    assert claims_points("You get full marks.", "Which points lie on the line?")


@pytest.mark.parametrize("piece", ["answer is ", "correct ", "(", "a b ", "답은 ", "。", "1/", "not ", "&amp;"])
def test_long_texts_of_one_kind_are_read_in_bounded_steps(piece: str) -> None:
    """A quadratic pattern would take minutes here, and the test run would show it."""
    text = piece * (20_000 // len(piece))

    assert isinstance(claims_right(text) or claims_wrong(text) or claims_points(text, text), bool)
