"""HTML, or a tree like it, as plain text; what text cannot hold is named."""

from collections.abc import Mapping
from html import unescape
from html.parser import HTMLParser
from typing import Final, NamedTuple

from pipeline.importing.item import NotTakenError
from pipeline.importing.xml_tree import Node

MAX_MARKUP_CHARS: Final = 200_000
_BLOCKS: Final = frozenset(
    {
        "address", "article", "aside", "blockquote", "dd", "div", "dl", "dt", "figcaption", "figure", "footer", "form",
        "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "nav", "ol", "p", "pre", "section", "table",
        "tbody", "thead", "tfoot", "tr", "ul", "prompt",
    }
)  # fmt: skip
_SILENT: Final = frozenset({"script", "style", "head", "template", "title"})
_MEDIA: Final = frozenset({"audio", "video", "object", "iframe", "embed", "svg", "canvas"})
_MARKS: Final = {"sup": "^", "sub": "_"}
_CELLS: Final = frozenset({"td", "th"})


class Plain(NamedTuple):
    """Text, and what was lost on the way to it."""

    text: str
    lost: tuple[str, ...] = ()


def plain_html(html: str) -> Plain:
    """The text of an HTML fragment; raises `NotTakenError` for one that no prompt could be made of."""
    if len(html) > MAX_MARKUP_CHARS:
        raise NotTakenError(f"its markup is longer than {MAX_MARKUP_CHARS:,} characters")
    reader = _Reader()
    reader.feed(html)
    # What is left is a tag that never closed. It stays text; `close()` would look through it again and again.
    reader.writer.text(unescape(reader.rawdata))
    return reader.writer.result()


class Writer:
    """Collects text as tags and texts go by."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._lost: dict[str, None] = {}
        self._silent = 0
        self._kept = 0
        self._at_line_start = True

    def start(self, tag: str, attributes: Mapping[str, str | None]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag == "pre":
            self._kept += 1
        if tag in _BLOCKS or tag == "br":
            self._write("\n")
        elif tag == "li":
            self._write("\n- ")
        elif tag in _CELLS and not self._at_line_start:
            self._write(" | ")
        elif tag in _MARKS:
            self._write(_MARKS[tag])
        self._mourn(tag, attributes)

    def end(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag == "pre":
            self._kept = max(0, self._kept - 1)
        if tag in _BLOCKS:
            self._write("\n")

    def text(self, text: str) -> None:
        self._write(text if self._kept else _one_line(text))

    def result(self) -> Plain:
        lines = [line.rstrip() for line in "".join(self._parts).split("\n")]
        kept = [line for before, line in zip(["", *lines], lines, strict=False) if line or before]
        return Plain("\n".join(kept).strip("\n").strip(), tuple(self._lost))

    def _write(self, text: str) -> None:
        if self._silent or not text:
            return
        if self._at_line_start and not self._kept and not text.startswith("\n"):
            text = text.lstrip(" ")
        if text:
            self._parts.append(text)
            self._at_line_start = text.endswith("\n")

    def _mourn(self, tag: str, attributes: Mapping[str, str | None]) -> None:
        """Notes what has no place in text; an image leaves its description."""
        source = attributes.get("src") or attributes.get("data") or ""
        if tag == "img":
            description = _one_line(attributes.get("alt") or "").strip()
            self._write(f"[{description}]" if description else "[image]")
            self._lost[f"the image {_short(source)} was not taken"] = None
        elif tag in _MEDIA:
            self._lost[f"{tag} {_short(source)} was not taken".replace("  ", " ")] = None
        elif tag == "math":
            self._lost["a formula in MathML became plain text"] = None


class _Reader(HTMLParser):
    """Hands what the standard parser finds to a writer."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.writer = Writer()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.writer.start(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        self.writer.end(tag)

    def handle_data(self, data: str) -> None:
        self.writer.text(data)


def plain_node(node: Node) -> Plain:
    """The text of an element that holds XHTML."""
    writer = Writer()
    write_node(writer, node)
    return writer.result()


def write_node(writer: Writer, node: Node) -> None:
    """Writes what is inside an element; its depth is bounded by how XML is read."""
    for child in node.children:
        if isinstance(child, str):
            writer.text(child)
        else:
            writer.start(child.tag, child.attributes)
            write_node(writer, child)
            writer.end(child.tag)


def _one_line(text: str) -> str:
    """With every run of blanks as one, and one at either end kept."""
    words = " ".join(text.split())
    if not words:
        return " " if text else ""
    return f"{' ' if text[0].isspace() else ''}{words}{' ' if text[-1].isspace() else ''}"


def _short(source: str) -> str:
    """The last part of an address, short enough for a report."""
    name = source.split("?", 1)[0].rstrip("/").rpartition("/")[2]
    if source.startswith("data:"):
        name = "inside the text"
    return "".join(character for character in name[:60] if character.isprintable())
