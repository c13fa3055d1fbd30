"""Moodle's embedded answers: `{2:SHORTANSWER:=Berlin~%50%Bonn}` inside a text.

The format is described at https://docs.moodle.org/en/Embedded_Answers_(Cloze)_question_type.
"""

import re
from typing import Final, NamedTuple

from pipeline.importing.item import Document, NotTakenError
from pipeline.importing.key import BLANK, Wording, blank_key, shown_choices

_HEAD: Final = re.compile(r"\{(\d{0,4}):([A-Z_]{1,24}):")
_SPECIAL: Final = '~=#}{\\/"*%'
_HIDDEN: Final = "".join(chr(0xE000 + index) for index in range(len(_SPECIAL)))
_SHOW: Final = str.maketrans(dict(zip(_HIDDEN, _SPECIAL, strict=True)))
_ESCAPED: Final = re.compile(r"\\([~=#}{\\/\"*%])")
_WEIGHT: Final = re.compile(r"%(-?\d{1,3}(?:\.\d{1,10})?)%")
_WRITTEN: Final = {"SHORTANSWER": False, "SA": False, "MW": False, "SHORTANSWER_C": True, "SAC": True, "MWC": True}
_NUMBERS: Final = frozenset({"NUMERICAL", "NM"})
_PICKED: Final = frozenset(
    {"MULTICHOICE", "MC", "MCV", "MCH", "MCS", "MCVS", "MCHS", "MULTICHOICE_V", "MULTICHOICE_H", "MULTICHOICE_S",
     "MULTICHOICE_VS", "MULTICHOICE_HS"}
)  # fmt: skip


class Part(NamedTuple):
    """What the prompt shows for a blank, its key and its weight."""

    shown: str
    key: Document
    weight: int


def cloze(prompt: str, notes: list[str]) -> Document:
    """The prompt with blanks and their keys; raises `NotTakenError` for a kind of blank that is none here."""
    text = _ESCAPED.sub(lambda match: _HIDDEN[_SPECIAL.index(match[1])], prompt)
    shown: list[str] = []
    parts: list[Part] = []
    place = 0
    while (head := _HEAD.search(text, place)) is not None:
        end = text.find("}", head.end())
        if end < 0:
            raise NotTakenError("a blank has no closing brace")
        part = _part(head[2], int(head[1] or 1), text[head.end() : end], notes)
        parts.append(part)
        shown += [text[place : head.start()], part.shown]
        place = end + 1
    if not parts:
        raise NotTakenError("it has no blanks")
    if len({part.weight for part in parts}) > 1:
        notes.append("blanks had different weights and now count the same")
    whole = "".join([*shown, text[place:]]).translate(_SHOW)
    return {"type": "cloze", "prompt": whole, "answer": {"blanks": [part.key for part in parts]}}


def _part(kind: str, weight: int, body: str, notes: list[str]) -> Part:
    wordings = [_wording(source, notes) for source in body.split("~") if source.strip()]
    if kind in _WRITTEN:
        return Part(BLANK, blank_key(wordings, notes, _WRITTEN[kind], wildcards=True), weight)
    if kind in _PICKED:
        return Part(shown_choices([wording.text for wording in wordings]), blank_key(wordings, notes), weight)
    if kind in _NUMBERS:
        notes.append("a number in a blank must be written as given; its tolerance was not taken")
        values = [Wording(wording.text.partition(":")[0], wording.share) for wording in wordings]
        return Part(BLANK, blank_key(values, notes), weight)
    raise NotTakenError(f"a blank of the kind {kind} has no counterpart here")


def _wording(source: str, notes: list[str]) -> Wording:
    text, _, feedback = source.strip().partition("#")
    if feedback:
        notes.append("feedback on single blanks was not taken")
    share = 0.0
    if text.startswith("="):
        text, share = text[1:], 1.0
    if (weight := _WEIGHT.match(text)) is not None:
        text, share = text[weight.end() :], float(weight[1]) / 100
    return Wording(text.translate(_SHOW).strip(), share)
