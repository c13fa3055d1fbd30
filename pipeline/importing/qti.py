"""One assessment item of QTI 3 (and 2): what it asks, what is right, and what it is worth.

The standard: https://www.imsglobal.org/spec/qti/v3p0/impl. Of scoring only what items declare is read (the right
response, mappings, MAXSCORE); programs in response processing are not run.
"""

from collections.abc import Sequence
from typing import Final

from pipeline.importing.item import Document, Found, Left, NotTakenError
from pipeline.importing.key import BLANK, shown_choices
from pipeline.importing.markup import Writer, plain_node
from pipeline.importing.placing import placed
from pipeline.importing.qti_answer import Declaration, declared, interaction_key
from pipeline.importing.xml_tree import Node

INLINE: Final = frozenset({"text-entry-interaction", "inline-choice-interaction"})
_INTERACTION: Final = "-interaction"
_STANDARD_PROGRAMS: Final = ("match_correct", "map_response", "cc2_match", "cc2_map")


def qti_item(where: str, item: Node, topics: Sequence[str] = (), level: int | None = None) -> Found | Left:
    """The item as a question, or why it is none. `topics` and `level` come from a package's manifest."""
    notes: list[str] = []
    try:
        fields = _question(item, notes)
    except NotTakenError as reason:
        return Left(where, str(reason))
    fields |= {"difficulty": level} if level is not None else {}
    identifier, title = item.attributes.get("identifier", ""), item.attributes.get("title", "")
    return Found(where, placed(fields, (), topics, notes), tuple(notes), identifier, title)


def _question(item: Node, notes: list[str]) -> Document:
    body = item.first("item-body")
    if body is None:
        raise NotTakenError("it has no item body")
    interactions = [node for node in body.within() if node.tag.endswith(_INTERACTION)]
    declarations = declared(item)
    _note_program(item, notes)
    writer = Writer()
    _write(writer, body)
    plain = writer.result()
    notes += plain.lost
    fields: Document = {"prompt": plain.text, **interaction_key(interactions, declarations, notes)}
    return {**fields, **_points(item, declarations), **_explanation(item, notes), **_language(item)}


def _write(writer: Writer, node: Node) -> None:
    """The body's text: interactions leave their prompt, or a blank where they stand in a sentence."""
    for child in node.children:
        if isinstance(child, str):
            writer.text(child)
        elif child.tag == "inline-choice-interaction":
            writer.text(shown_choices([plain_node(choice).text for choice in child.elements("inline-choice")]))
        elif child.tag == "text-entry-interaction":
            writer.text(BLANK)
        elif child.tag.endswith(_INTERACTION):
            _write_prompt(writer, child)
        elif child.tag not in ("rubric-block", "feedback-block", "feedback-inline", "template-block"):
            writer.start(child.tag, child.attributes)
            _write(writer, child)
            writer.end(child.tag)


def _write_prompt(writer: Writer, interaction: Node) -> None:
    prompt = interaction.first("prompt")
    if prompt is not None:
        writer.start("p", {})
        _write(writer, prompt)
        writer.end("p")


def _note_program(item: Node, notes: list[str]) -> None:
    processing = item.first("response-processing")
    template = processing.attributes.get("template", "") if processing is not None else ""
    if processing is not None and not any(name in template.lower() for name in _STANDARD_PROGRAMS):
        notes.append("its own response processing was not taken; the declared right response is")


def _points(item: Node, declarations: dict[str, Declaration]) -> Document:
    """MAXSCORE; else what a mapping makes possible; else the default."""
    for outcome in item.elements("outcome-declaration"):
        told = outcome.text("default-value", "value")
        if outcome.attributes.get("identifier") == "MAXSCORE" and _is_points(told):
            return {"points": float(told)}
    possible = sum(declaration.possible for declaration in declarations.values())
    return {"points": possible} if possible > 0 else {}


def _is_points(text: str) -> bool:
    return text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit() and float(text) > 0


def _explanation(item: Node, notes: list[str]) -> Document:
    """Feedback that is not tied to a wrong choice: what stands in rubric blocks for solutions, and modal feedback."""
    texts: list[str] = []
    for feedback in item.elements("modal-feedback"):
        name = feedback.attributes.get("identifier", "").lower()
        plain = plain_node(feedback)
        notes += plain.lost
        if any(word in name for word in ("incorrect", "wrong", "false")):
            notes.append("feedback on wrong answers was not taken")
        else:
            texts.append(plain.text)
    if any(node.tag in ("feedback-inline", "feedback-block") for node in item.within()):
        notes.append("feedback inside the body was not taken")
    return {"explanation": "\n".join(filter(None, texts))}


def _language(item: Node) -> Document:
    language = item.attributes.get("lang", "").strip()
    return {"language": language} if language else {}
