"""QTI's response declarations and interactions as answer keys."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from pipeline.importing.item import Document, NotTakenError
from pipeline.importing.key import (
    Choice,
    Range,
    Side,
    Wording,
    blank_key,
    choice_key,
    essay_key,
    matching_key,
    number_key,
    number_of,
    options_of,
    ordering_key,
)
from pipeline.importing.markup import plain_node
from pipeline.importing.xml_tree import Node

_INLINE: Final = frozenset({"text-entry-interaction", "inline-choice-interaction"})
_NUMBERS: Final = frozenset({"float", "integer"})


class Declaration(NamedTuple):
    """What an item says of one response: the right values in order, and points by value where it maps them."""

    several: bool
    base_type: str
    right: tuple[str, ...]
    mapped: Mapping[str, float]
    default: float
    case_sensitive: bool

    @property
    def possible(self) -> float:
        """The most points a mapping gives; 0 without one."""
        gains = [points for points in self.mapped.values() if points > 0]
        return sum(gains) if self.several else max(gains, default=0.0)


def declared(item: Node) -> dict[str, Declaration]:
    """The declarations by identifier."""
    return {node.attributes.get("identifier", ""): _declaration(node) for node in item.elements("response-declaration")}


def _declaration(node: Node) -> Declaration:
    right = tuple(value.text() for value in (node.first("correct-response") or _NOTHING).elements("value"))
    mapping = node.first("mapping") or _NOTHING
    entries = list(mapping.elements("map-entry"))
    return Declaration(
        several=node.attributes.get("cardinality", "single") != "single",
        base_type=node.attributes.get("base-type", ""),
        right=right,
        mapped={
            entry.attributes.get("map-key", "").strip(): float(number_of(entry.attributes.get("mapped-value", "0")))
            for entry in entries
        },
        default=float(number_of(mapping.attributes.get("default-value", "0"))),
        case_sensitive=any(entry.attributes.get("case-sensitive", "").lower() == "true" for entry in entries),
    )


_NOTHING: Final = Node("", {}, 0, [])


def interaction_key(
    interactions: Sequence[Node], declarations: Mapping[str, Declaration], notes: list[str]
) -> Document:
    """Type, key and options of an item with these interactions."""
    if not interactions:
        raise NotTakenError("it has no interaction: nothing is asked")
    for node in interactions:
        if node.tag not in _READERS:
            raise NotTakenError(f"a {node.tag[:60]} has no counterpart here")
    if len(interactions) > 1:
        return _cloze(interactions, declarations, notes)
    [only] = interactions
    return _READERS[only.tag](only, _declaration_of(only, declarations), notes)


def _cloze(interactions: Sequence[Node], declarations: Mapping[str, Declaration], notes: list[str]) -> Document:
    if any(node.tag not in _INLINE for node in interactions):
        raise NotTakenError("it has several interactions that are not all blanks in a text")
    blanks = [_blank(node, _declaration_of(node, declarations), notes) for node in interactions]
    return {"type": "cloze", "answer": {"blanks": blanks}}


def _declaration_of(node: Node, declarations: Mapping[str, Declaration]) -> Declaration:
    name = node.attributes.get("response-identifier", "")
    if name not in declarations:
        raise NotTakenError(f"the response {name[:60]!r} is not declared")
    return declarations[name]


def _blank(node: Node, declaration: Declaration, notes: list[str]) -> Document:
    if node.tag == "inline-choice-interaction":
        texts = {
            choice.attributes.get("identifier", ""): plain_node(choice).text
            for choice in node.elements("inline-choice")
        }
        wordings = [Wording(texts[value]) for value in declaration.right if value in texts]
        return blank_key(wordings, notes)
    if declaration.base_type in _NUMBERS:
        notes.append("a number in a blank must be written as given")
    return blank_key(_wordings(declaration), notes, declaration.case_sensitive)


def _wordings(declaration: Declaration) -> list[Wording]:
    most = max(declaration.mapped.values(), default=0.0)
    told = [Wording(value) for value in declaration.right]
    return told + [Wording(key, points / most) for key, points in declaration.mapped.items() if most > 0]


def _text_entry(node: Node, declaration: Declaration, notes: list[str]) -> Document:
    if declaration.base_type in _NUMBERS:
        values = declaration.right or tuple(declaration.mapped)
        return number_key([Range(number_of(value)) for value in values], notes)
    if "pattern-mask" in node.attributes:
        notes.append("the pattern that limits what may be typed was not taken")
    return {"type": "short_text", "answer": blank_key(_wordings(declaration), notes, declaration.case_sensitive)}


def _inline_choice(node: Node, declaration: Declaration, notes: list[str]) -> Document:
    return {"type": "cloze", "answer": {"blanks": [_blank(node, declaration, notes)]}}


def _extended_text(_node: Node, declaration: Declaration, _notes: list[str]) -> Document:
    return essay_key("\n".join(filter(None, declaration.right)))


def _texts(nodes: Sequence[Node], notes: list[str]) -> dict[str, str]:
    """The visible text of each choice by its identifier."""
    texts: dict[str, str] = {}
    for node in nodes:
        plain = plain_node(node)
        notes += plain.lost
        texts[node.attributes.get("identifier", "")] = plain.text
    return texts


def _choice(node: Node, declaration: Declaration, notes: list[str]) -> Document:
    texts = _texts(list(node.elements("simple-choice")), notes)
    if not declaration.several:
        best = max(declaration.mapped, key=lambda key: declaration.mapped[key], default="")
        right = declaration.right[:1] or (best,)
        notes += ["points for options that are partly right were not taken"] * (len(declaration.mapped) > 1)
        choices = [Choice(text, 1.0 if identifier in right else 0.0, identifier) for identifier, text in texts.items()]
        return choice_key(choices, notes, several=False)
    if declaration.mapped and declaration.possible > 0:
        shares = {name: declaration.mapped.get(name, declaration.default) / declaration.possible for name in texts}
        return choice_key([Choice(text, shares[name], name) for name, text in texts.items()], notes, several=True)
    if not declaration.right:
        raise NotTakenError("it declares no right response")
    options = options_of(list(texts.values()), list(texts))
    return {"type": "multiple_choice", "options": options, "answer": {"options": list(declaration.right)}}


def _order(node: Node, declaration: Declaration, notes: list[str]) -> Document:
    texts = _texts(list(node.elements("simple-choice")), notes)
    if sorted(declaration.right) != sorted(texts):
        raise NotTakenError("its right order does not name every choice once")
    return ordering_key([texts[name] for name in declaration.right], declaration.right)


def _match(node: Node, declaration: Declaration, notes: list[str]) -> Document:
    sets = [
        _texts(list(each.elements("simple-associable-choice")), notes) for each in node.elements("simple-match-set")
    ]
    if len(sets) != 2:  # noqa: PLR2004 - a match has two sides
        raise NotTakenError("it does not have two sets to match")
    lefts, rights = sets
    pairs: dict[str, str] = {}
    for value in declaration.right or tuple(key for key, points in declaration.mapped.items() if points > 0):
        left, _, right = value.partition(" ")
        if left not in lefts or right.strip() not in rights:
            raise NotTakenError(f"the pair {value[:60]!r} names what is not there")
        if left in pairs:
            raise NotTakenError("an item on the left belongs to several on the right, which no type here says")
        pairs[left] = right.strip()
    if len(pairs) < len(lefts):
        notes.append("items that belong to nothing were not taken")
    spare = [Side(name, text) for name, text in rights.items() if name not in pairs.values()]
    told = [(lefts[left], Side(right, rights[right])) for left, right in pairs.items()]
    return matching_key(told, spare, notes)


_READERS: Final[Mapping[str, Callable[[Node, Declaration, list[str]], Document]]] = MappingProxyType(
    {
        "choice-interaction": _choice,
        "text-entry-interaction": _text_entry,
        "extended-text-interaction": _extended_text,
        "inline-choice-interaction": _inline_choice,
        "match-interaction": _match,
        "order-interaction": _order,
    }
)
