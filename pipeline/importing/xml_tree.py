"""XML as a small tree, read so that no file can hurt: no document types, bounded depth and size.

A document type is where entities are declared, so refusing it refuses expansion ("billion laughs", quadratic
blow-up) and external files alike. The formats read here have none.
"""

from collections.abc import Iterator, Mapping
from typing import Final
from xml.parsers import expat  # document types are refused before any entity is declared

import msgspec

from pipeline.importing.item import Unreadable

MAX_DEPTH: Final = 200
MAX_ELEMENTS: Final = 1_000_000
_PIECE_BYTES: Final = 65_536
_SEPARATOR: Final = "\x1f"


class Node(msgspec.Struct):
    """An element: names without their namespaces, texts and elements in order, the line it starts on."""

    tag: str
    attributes: Mapping[str, str]
    line: int
    children: list["Node | str"] = []

    def elements(self, tag: str = "") -> Iterator["Node"]:
        """The elements directly inside, all or those of one name."""
        for child in self.children:
            if isinstance(child, Node) and (not tag or child.tag == tag):
                yield child

    def first(self, *path: str) -> "Node | None":
        """The first element at the end of a path of names."""
        node: Node | None = self
        for tag in path:
            node = next(node.elements(tag), None) if node is not None else None
        return node

    def within(self) -> Iterator["Node"]:
        """This element and all inside it, in the order of the document."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(list(node.elements())))

    def text(self, *path: str) -> str:
        """All text at the end of a path, without blanks around it; "" where there is no such element."""
        node = self.first(*path)
        if node is None:
            return ""
        return "".join(child for part in node.within() for child in part.children if isinstance(child, str)).strip()


def read_xml(data: bytes) -> Node:
    """The root element; raises `Unreadable`, naming the line."""
    tree = _Builder()
    _parse(data, tree)
    if tree.root is None or tree.open:
        raise Unreadable("the XML has no content")
    return tree.root


def root_name(data: bytes) -> str:
    """The name of the root element, without reading further; raises `Unreadable`."""
    tree = _Builder(root_only=True)
    _parse(data, tree)
    return tree.root.tag if tree.root is not None else ""


class _RootSeen(Exception):
    pass


class _Builder:
    """Takes expat's events; `open` holds the elements that have not ended."""

    def __init__(self, *, root_only: bool = False) -> None:
        self.root: Node | None = None
        self.open: list[Node] = []
        self._root_only = root_only
        self._count = 0
        self.parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        self._count += 1
        if len(self.open) >= MAX_DEPTH:
            raise Unreadable(f"line {line}: elements are nested more than {MAX_DEPTH} deep")
        if self._count > MAX_ELEMENTS:
            raise Unreadable(f"the XML has more than {MAX_ELEMENTS:,} elements; split the file")
        node = Node(_local(name), {_local(key): value for key, value in attributes.items()}, line, [])
        if self.open:
            self.open[-1].children.append(node)
        else:
            self.root = node
        if self._root_only:
            raise _RootSeen
        self.open.append(node)

    def _end(self, _name: str) -> None:
        self.open.pop()

    def _text(self, text: str) -> None:
        if self.open:
            self.open[-1].children.append(text)

    def _doctype(self, *_declared: object) -> None:
        line = self.parser.CurrentLineNumber
        raise Unreadable(f"line {line}: a document type (DOCTYPE) is not read, nor are entities it may declare")


def _parse(data: bytes, tree: _Builder) -> None:
    try:
        for start in range(0, len(data), _PIECE_BYTES):
            tree.parser.Parse(data[start : start + _PIECE_BYTES], False)
        tree.parser.Parse(b"", True)
    except _RootSeen:
        return
    except expat.ExpatError as error:
        raise Unreadable(f"the XML is broken at line {error.lineno}: {expat.ErrorString(error.code)}") from None
    except (LookupError, ValueError):
        raise Unreadable("the XML is in an encoding that is not read; use UTF-8") from None


def _local(name: str) -> str:
    return name.rpartition(_SEPARATOR)[2]
