"""Answers given faster than their question can be read: rapid guesses, which tell of haste and not of ability.

    read in at least    3 s up to 199 characters, 5 s up to 1,000, 10 s beyond; of prompt and options together

A character of Korean, Japanese or Chinese counts three: as much text takes about so many fewer of them.

Sources: S. L. Wise, X. Kong, "Response time effort: a new measure of examinee motivation in computer-based tests",
Applied Measurement in Education 18 (2005), for thresholds by the length of the item; S. L. Wise, C. E. DeMars, "An
application of item response time: the effort-moderated IRT model", Journal of Educational Measurement 43 (2006): a
rapid guess is right by chance, whoever guesses; S. Trauzettel-Klosinski, K. Dietz, "Standardized assessment of
reading performance: the new international reading speed texts IReST", Investigative Ophthalmology & Visual Science 53
(2012): 987 letters a minute in English, 357 characters in Japanese and 255 in Chinese.
"""

from typing import Final

from pipeline.model import Answer, Question

SHORT_CHARACTERS: Final = 200
LONG_CHARACTERS: Final = 1_000
SHORT_MS: Final = 3_000
MIDDLE_MS: Final = 5_000
LONG_MS: Final = 10_000

WIDE_FROM: Final = "\u1100"
"""Where the scripts begin that need few characters: Hangul, kana and Han stand behind it."""
WIDE_COUNTS: Final = 3

CHOICE_TYPES: Final = frozenset({"single_choice", "multiple_choice", "true_false"})
"""Where a click is an answer; whoever types one has done something about it."""


def is_rapid(answer: Answer) -> bool:
    """Whether a choice was made before its question can have been read; False where the time is not known."""
    took, question = answer.response_time_ms, answer.question
    if took is None or took >= LONG_MS or question.type not in CHOICE_TYPES:
        return False
    return took < reading_ms(characters_of(question))


def reading_ms(characters: int) -> int:
    """The least time, in milliseconds, in which so many characters can have been read."""
    if characters < SHORT_CHARACTERS:
        return SHORT_MS
    return MIDDLE_MS if characters <= LONG_CHARACTERS else LONG_MS


def characters_of(question: Question) -> int:
    """How much there is to read, in letters."""
    letters = letters_in(question.prompt)
    for option in question.options:
        letters += letters_in(option["text"])
    return letters


def letters_in(text: str) -> int:
    """The length of a text as if it were written in letters."""
    if text.isascii():
        return len(text)
    return len(text) + (WIDE_COUNTS - 1) * sum(character >= WIDE_FROM for character in text)
