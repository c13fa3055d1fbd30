"""What other systems know of an answer, as the answer keys of our types.

Each function answers with `type`, `answer` and, where there are any, `options`. What cannot be expressed is added to
`notes`; what makes the question another one raises `NotTakenError`.
"""

import math
import string
from collections.abc import Sequence
from typing import Final, NamedTuple

from pipeline.importing.item import Document, NotTakenError
from pipeline.scoring.fields import MAX_ID_CHARS

BLANK: Final = "____"
FULL: Final = 0.999
"""The share from which an answer counts as wholly right: thirds are written 33.33333."""

SAME: Final = 0.01


class Choice(NamedTuple):
    """An option, and the share of the points that picking it is worth: 1 for all, below 0 where it costs."""

    text: str
    share: float
    id: str = ""


class Wording(NamedTuple):
    """An accepted text, and its share of the points."""

    text: str
    share: float = 1.0


class Range(NamedTuple):
    """A number, how far off it may be, and its share of the points."""

    value: float
    tolerance: float = 0.0
    share: float = 1.0


class Side(NamedTuple):
    """One side of a pair: an id the source gives (may be empty), and its text."""

    id: str
    text: str


def option_id(index: int) -> str:
    """The letter of an option: a to z, then aa, ab and so on."""
    letters = string.ascii_lowercase
    return letters[index] if index < len(letters) else option_id(index // len(letters) - 1) + letters[index % 26]


def options_of(texts: Sequence[str], ids: Sequence[str] = ()) -> list[Document]:
    """Options with the ids of the source where each has one, and letters otherwise."""
    told = [identifier for identifier in ids if identifier]
    names = told if len(told) == len(texts) else [option_id(index) for index in range(len(texts))]
    return [{"id": name, "text": text} for name, text in zip(names, texts, strict=True)]


def choice_key(choices: Sequence[Choice], notes: list[str], *, several: bool) -> Document:
    """One right option, or several with partial credit."""
    options = options_of([choice.text for choice in choices], [choice.id for choice in choices])
    rights = [
        option["id"]
        for option, choice in zip(options, choices, strict=True)
        if (choice.share > 0 if several else choice.share >= FULL)
    ]
    if not rights:
        raise NotTakenError("no option is wholly right")
    if several:
        note_weights(choices, notes)
        return {
            "type": "multiple_choice",
            "options": options,
            "answer": {"options": rights, "partial": "net_correct"},
        }
    if len(rights) > 1:
        raise NotTakenError("several options are right and one of them is enough, which no type here says")
    if any(0 < choice.share < FULL for choice in choices):
        notes.append("points for options that are partly right were not taken")
    return {"type": "single_choice", "options": options, "answer": {"option": rights[0]}}


def note_weights(choices: Sequence[Choice], notes: list[str]) -> None:
    """Says where the weights differ from `net_correct`: each right 1/K, each wrong -1/K."""
    rights = [choice.share for choice in choices if choice.share > 0]
    wrongs = [choice.share for choice in choices if choice.share <= 0]
    each = 1 / len(rights)
    if any(abs(share - each) > SAME for share in rights):
        notes.append("right options had different weights and now have the same")
    if any(abs(share + each) > SAME for share in wrongs):
        notes.append("a wrong pick now cancels a right one; its weight was another")


def true_false_key(value: bool) -> Document:
    return {"type": "true_false", "answer": {"value": value}}


def text_key(wordings: Sequence[Wording], notes: list[str], *, case_sensitive: bool, wildcards: bool) -> Document:
    """A short text; with `wildcards`, `*` in a wording stands for any characters."""
    return {"type": "short_text", "answer": blank_key(wordings, notes, case_sensitive, wildcards)}


def blank_key(
    wordings: Sequence[Wording], notes: list[str], case_sensitive: bool = False, wildcards: bool = False
) -> Document:
    """The key of a short text, or of one blank of a cloze."""
    full = [wording.text for wording in wordings if wording.share >= FULL]
    if not full:
        raise NotTakenError("no accepted answer is wholly right")
    if any(0 < wording.share < FULL for wording in wordings):
        notes.append("points for answers that are partly right were not taken")
    patterns = [text for text in full if wildcards and "*" in text.replace("\\*", "")]
    accepted = [text.replace("\\*", "*") if wildcards else text for text in full if text not in patterns]
    key: Document = {"accepted": list(dict.fromkeys(accepted))} if accepted else {}
    if patterns:
        key["pattern"] = "|".join(map(_pattern, patterns))
    return key | ({"case_sensitive": True} if case_sensitive else {})


def _pattern(wording: str) -> str:
    parts = wording.replace("\\*", "\0").split("*")
    return ".*".join("".join(_quoted(character) for character in part) for part in parts)


def _quoted(character: str) -> str:
    if character == "\0":
        return r"\*"
    return f"\\{character}" if character in string.punctuation else character


def number_key(ranges: Sequence[Range], notes: list[str], unit: str = "") -> Document:
    """A number; of several that are wholly right, only one can be kept, so they are refused."""
    full = list(dict.fromkeys(each for each in ranges if each.share >= FULL))
    if not full:
        raise NotTakenError("no number is wholly right")
    if len(full) > 1:
        raise NotTakenError("several different numbers are right, which no type here says")
    if any(0 < each.share < FULL for each in ranges):
        notes.append("points for numbers that are partly right were not taken")
    answer: Document = {"value": full[0].value}
    answer |= {"tolerance": full[0].tolerance} if full[0].tolerance else {}
    return {"type": "numeric", "answer": answer | ({"unit": unit} if unit else {})}


def number_of(text: str) -> float:
    """A number as machines write it, whole ones as integers; raises `NotTakenError`."""
    try:
        value = float(text)
    except ValueError:
        raise NotTakenError(f"{text.strip()[:40]!r} is no number") from None
    if not math.isfinite(value):
        raise NotTakenError(f"{text.strip()[:40]!r} is no finite number")
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def matching_key(pairs: Sequence[tuple[str, Side]], spare: Sequence[Side], notes: list[str]) -> Document:
    """Pairs from left texts to right sides. A learner sees the left ids, so the texts are the ids.

    Where a text cannot be an id, the left sides are numbered, and `prompt_end` holds the numbered list.
    """
    if len(pairs) < 2:  # noqa: PLR2004 - one pair is no choice
        raise NotTakenError("it has fewer than two pairs")
    rights = {right.text: right.id for _, right in pairs} | {right.text: right.id for right in spare}
    options = options_of(list(rights), list(rights.values()))
    ids = {option["text"]: option["id"] for option in options}
    lefts = [left for left, _ in pairs]
    if len(set(lefts)) < len(lefts):
        raise NotTakenError("an item on the left stands there twice")
    names, end = _left_names(lefts)
    if end:
        notes.append("the items on the left are numbered, and stand in the prompt")
    answer = {name: ids[right.text] for name, (_, right) in zip(names, pairs, strict=True)}
    return {"type": "matching", "options": options, "answer": {"pairs": answer}} | ({"prompt_end": end} if end else {})


def _left_names(lefts: Sequence[str]) -> tuple[list[str], str]:
    if all(left.isprintable() and 0 < len(left) <= MAX_ID_CHARS for left in lefts):
        return list(lefts), ""
    numbers = [str(index) for index in range(1, len(lefts) + 1)]
    return numbers, "\n".join(f"{number}. {left}" for number, left in zip(numbers, lefts, strict=True))


def ordering_key(texts: Sequence[str], ids: Sequence[str] = ()) -> Document:
    """Texts in their right order. They are shown sorted, so that the order given does not tell."""
    options = options_of(texts, ids)
    shown = sorted(options, key=lambda option: option["text"])
    if not any(ids):
        letters = {option["id"]: option_id(index) for index, option in enumerate(shown)}
        shown = [{"id": letters[option["id"]], "text": option["text"]} for option in shown]
        return {
            "type": "ordering",
            "options": shown,
            "answer": {"sequence": [letters[option["id"]] for option in options]},
        }
    return {"type": "ordering", "options": shown, "answer": {"sequence": [option["id"] for option in options]}}


def essay_key(reference: str = "") -> Document:
    return {"type": "essay", "answer": {"reference": reference} if reference else {}}


def shown_choices(texts: Sequence[str]) -> str:
    """A blank that is filled from a list, as the prompt shows it."""
    return f"{BLANK} ({' / '.join(texts)})"
