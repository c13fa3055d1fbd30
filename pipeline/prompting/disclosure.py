"""Whether a text tells the solution of a question that hides it.

By words, numbers, option ids and orders, as far as a program can see: a paraphrase goes unseen, which is why the
solution is not in such a prompt in the first place. In doubt a text counts as telling. Right or wrong of a
true/false question is told by the outcome alone, so there is nothing left to hide.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from pipeline.model import JsonValue, Question
from pipeline.prompting.reading import canonical, readings

TERM_CHARS: Final = 60
"""A longer text is a passage: it counts as told where a run of it is."""
RUN_WORDS: Final = 5
RUN_CHARACTERS: Final = 10
"""How much of a passage may not be repeated, in scripts with blanks and in those without."""
TERMS: Final = 200

_NUMBER: Final = re.compile(r"[-−]?\d+(?:[.,]\d+)*(?:e[+-]?\d+)?")
_WORD: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+")
_UNSPACED: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_SHORT_ID: Final = 3


_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth")
_KOREAN_ORDINALS: Final = ("첫", "두", "세", "네", "다섯", "여섯")
_HAN_DIGITS: Final = "一二三四五六"
_NUMBER_WORDS: Final = ("three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
"""Words for 3 to 12; "one" and "two" stand in every other sentence."""

Key = Mapping[str, JsonValue]


class Secret(msgspec.Struct, frozen=True):
    """What must not be told, in the form in which texts are compared.

    `numbers` are values with how far off one still gives them away; `orders` are sequences of names; `pairs` are
    names that belong together.
    """

    terms: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()
    option_ids: tuple[str, ...] = ()
    numbers: tuple[tuple[float, float], ...] = ()
    orders: tuple[tuple[str, ...], ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()


def secret_of(question: Question) -> Secret:
    """What the key of a question holds; what its own prompt says already is no secret."""
    read = _SECRETS.get(question.type)
    return Secret() if read is None else read(question, question.answer)


def tells(text: str, secret: Secret) -> bool:
    """Whether `text` gives away any of it."""
    return any(_tells(reading, secret) for reading in readings(text))


def _tells(text: str, secret: Secret) -> bool:
    return (
        any(_stands_in(term, text) for term in secret.terms)
        or any(_repeats(passage, text) for passage in secret.passages)
        or any(_names_option(option, text) for option in secret.option_ids)
        or any(_gives(number, allowance, text) for number, allowance in secret.numbers)
        or any(_in_order(order, text) for order in secret.orders)
        or any(_together(pair, text) for pair in secret.pairs)
    )


def _options_secret(question: Question, key: Key) -> Secret:
    ids = tuple(key.get("options") or [key["option"]])
    texts = [option["text"] for option in question.options if option["id"] in ids]
    places = [place for place, option in enumerate(question.options) if option["id"] in ids]
    named = _texts_secret(question, texts)
    return msgspec.structs.replace(
        named,
        terms=(*named.terms, *(name for place in places for name in _place_names(place, len(question.options)))),
        option_ids=tuple(canonical(option) for option in ids),
    )


def _place_names(place: int, count: int) -> Iterator[str]:
    """How an option is named by its place, counted from 0."""
    if place < len(_ORDINALS):
        yield from (f"{_ORDINALS[place]} {thing}" for thing in ("option", "choice", "answer", "one"))
        yield from (f"{_KOREAN_ORDINALS[place]} 번째", f"{place + 1}번", f"{place + 1}番目", f"第{_HAN_DIGITS[place]}")
    if place == count - 1:
        yield from ("last option", "last choice", "last answer", "last one", "마지막 보기", "最後の選択肢", "最后一项")


def _number_secret(question: Question, key: Key) -> Secret:
    """The value, with what is accepted as well; nothing where the prompt names the same number."""
    value = float(key["value"])
    allowance = max(key.get("tolerance") or 0.0, abs(value) * (key.get("relative_tolerance") or 0.0))
    if value in _numbers(canonical(question.prompt)):
        return Secret()
    words = [word for number, word in enumerate(_NUMBER_WORDS, start=3) if number == value]
    return Secret(terms=tuple(words), numbers=((value, float(allowance)),))


def _texts_secret(question: Question, texts: Iterable[str]) -> Secret:
    asked = canonical(question.prompt)
    known = [text for text in map(canonical, texts) if text and not _stands_in(text, asked)][:TERMS]
    numbers = [float(text) for text in known if re.fullmatch(r"-?\d{1,15}(?:\.\d{1,15})?", text)]
    return Secret(
        terms=tuple(text for text in known if len(text) <= TERM_CHARS),
        passages=tuple(text for text in known if len(text) > TERM_CHARS or len(_WORD.findall(text)) > RUN_WORDS),
        numbers=tuple((number, 0.0) for number in numbers),
    )


def _namings(question: Question, ids: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The same sequence by ids and by texts, as far as options have any."""
    texts = {option["id"]: option["text"] for option in question.options}
    sequence = tuple(ids)
    yield tuple(canonical(option) for option in sequence)
    if texts:
        yield tuple(canonical(texts.get(option, option)) for option in sequence)


def _pair_names(question: Question, pairs: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    texts: dict[str, Any] = {option["id"]: option["text"] for option in question.options}
    for left, right in pairs.items():
        lefts = {canonical(left), canonical(texts.get(left, left))}
        rights = {canonical(str(right)), canonical(texts.get(right, str(right)))}
        yield from ((one, other) for one in sorted(lefts) for other in sorted(rights))


def _stands_in(term: str, text: str) -> bool:
    """Whether a term occurs and is not a part of a longer word; words run together in scripts without blanks."""
    place = text.find(term)
    while place >= 0:
        if not (_goes_on(text, place - 1, term[0]) or _goes_on(text, place + len(term), term[-1])):
            return True
        place = text.find(term, place + 1)
    return False


def _goes_on(text: str, place: int, edge: str) -> bool:
    """Whether the character at `place` continues the word that ends with `edge`."""
    if not 0 <= place < len(text):
        return False
    return text[place].isalnum() and edge.isalnum() and not _UNSPACED.search(text[place] + edge)


def _repeats(passage: str, text: str) -> bool:
    """Whether a run of the passage stands in the text: a few words, or characters where there are no blanks."""
    words, told = _WORD.findall(passage), _WORD.findall(text)
    length = RUN_CHARACTERS if _UNSPACED.search(passage) else RUN_WORDS
    runs = {tuple(words[start : start + length]) for start in range(max(1, len(words) - length + 1))}
    return any(tuple(told[start : start + length]) in runs for start in range(len(told)))


def _names_option(option: str, text: str) -> bool:
    """Whether an option is named by its id; a short one only where it is used as a name, not as a word."""
    if len(option) > _SHORT_ID:
        return _stands_in(option, text)
    name = re.escape(option)
    named = (
        rf"(?:options?|answers?|choices?|letters?|picks?|select|choose|보기|선택지|정답|답|選択肢|答え|正解"
        rf"|选项|選項|答案)\W{{0,4}}"
        rf"(?:is|are|was|would be|은|는|は|是|为)?\W{{0,4}}{name}(?![\w])"
        rf"|[(\[“\"'「]{name}[)\]”\"'」]|(?:^|[\s(]){name}[):]"
        rf"|(?<!\w){name}\W{{0,2}}(?:is|was|would be|가|이|が|是)\W{{0,2}}(?:the )?(?:correct|right|best|정답"
        rf"|맞|正解|正しい|正确|对)"
    )
    return re.search(named, text) is not None


def _gives(value: float, allowance: float, text: str) -> bool:
    return any(math.isclose(number, value, rel_tol=1e-9, abs_tol=allowance) for number in _numbers(text))


def _numbers(text: str) -> Iterator[float]:
    """Every way to read the numbers of a text: a comma may be a decimal one or part the thousands."""
    for match in _NUMBER.finditer(text):
        written = match.group().replace("−", "-")
        for reading in {
            written.replace(",", ""),
            written.replace(",", "."),
            written.replace(".", "").replace(",", "."),
        }:
            try:
                yield float(reading)
            except ValueError:
                continue


def _in_order(order: tuple[str, ...], text: str) -> bool:
    """Whether all names stand in the text, their first places in this order."""
    places = [_place(name, text) for name in order]
    return len(order) > 1 and -1 not in places and places == sorted(places)


def _place(name: str, text: str) -> int:
    match = re.search(rf"(?<!\w){re.escape(name)}(?!\w)" if name.isascii() else re.escape(name), text)
    return match.start() if match else -1


def _together(pair: tuple[str, str], text: str) -> bool:
    """Whether both names stand in one sentence."""
    return any(all(_place(name, sentence) >= 0 for name in pair) for sentence in re.split(r"[.!?。！？\n;；]\s", text))


_SECRETS: Final[Mapping[str, Callable[[Question, Key], Secret]]] = MappingProxyType(
    {
        "single_choice": _options_secret,
        "multiple_choice": _options_secret,
        "numeric": _number_secret,
        "short_text": lambda question, key: _texts_secret(question, key.get("accepted", ())),
        "cloze": lambda question, key: _texts_secret(
            question, [t for b in key["blanks"] for t in b.get("accepted", ())]
        ),
        "ordering": lambda question, key: Secret(orders=tuple(_namings(question, key["sequence"]))),
        "matching": lambda question, key: Secret(pairs=tuple(_pair_names(question, key["pairs"]))),
        "essay": lambda question, key: _texts_secret(
            question, [text for text in (key.get("reference"), question.explanation) if text]
        ),
    }
)
