"""A file of questions by its bytes: which format it is in, and what can be taken from it."""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from pipeline.importing.csv_table import heading_of, read_csv
from pipeline.importing.curriculum import is_curriculum
from pipeline.importing.encoding import start_of, text_of
from pipeline.importing.gift import read_gift
from pipeline.importing.item import MAX_FILE_BYTES, Item, Unreadable
from pipeline.importing.moodle import read_moodle
from pipeline.importing.naming import named
from pipeline.importing.ndjson import read_ndjson
from pipeline.importing.qti_names import qti_tree
from pipeline.importing.qti_package import read_package, read_qti
from pipeline.importing.xml_tree import Node, root_name

Format = Literal["gift", "moodle", "qti", "qti_package", "csv", "ndjson", "curriculum"]

_ZIP: Final = b"PK\x03\x04"
_EMPTY_ZIP: Final = b"PK\x05\x06"
_LOOKED_AT_CHARS: Final = 20_000
_ENDINGS: Final[Mapping[str, Format]] = MappingProxyType(
    {".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv", ".tsv": "csv", ".gift": "gift"}
)
_GIFT_STYLE: Final = re.compile(r"\[(html|moodle|plain|markdown)\]")


def read_questions(data: bytes, name: str = "") -> Iterator[Item]:
    """What becomes of each thing in a file, in order; raises `Unreadable` for the file as a whole.

    It may raise after items were read, where a file is broken further down. `name` only helps to tell the format.
    """
    return _READERS[detect(data, name)](data)


def detect(data: bytes, name: str = "") -> Format:
    """The format of a file by its content; the end of its name decides only between texts. Raises `Unreadable`."""
    if len(data) > MAX_FILE_BYTES:
        raise Unreadable(f"the file is larger than {MAX_FILE_BYTES:,} bytes; split it")
    if data.startswith((_ZIP, _EMPTY_ZIP)):
        return "qti_package"
    text = start_of(data, _LOOKED_AT_CHARS).lstrip()
    if not text:
        raise Unreadable("the file is empty")
    if text.startswith("<") and _is_xml(text):
        return _xml_format(data)
    return _text_format(text, name.lower())


def _is_xml(text: str) -> bool:
    """GIFT may start with HTML; XML says so, or its root is one that is known."""
    return text.startswith(("<?xml", "<!DOCTYPE", "<!--")) or _spelt_root(text) in _ROOTS


def _spelt_root(text: str) -> str:
    name = text[1:200].split(">", 1)[0].split()
    return _spelt(name[0].rstrip("/").rpartition(":")[2]) if name else ""


def _spelt(name: str) -> str:
    return qti_tree(Node(name, {}, 0, [])).tag


def _xml_format(data: bytes) -> Format:
    root = _spelt(root_name(data))
    if root == "manifest":
        raise Unreadable("a manifest alone has no questions; give the zip archive it belongs to")
    if root not in _ROOTS:
        raise Unreadable(f"XML of the kind {root[:40]!r} is not read; Moodle XML and QTI items are")
    return "moodle" if root == "quiz" else "qti"


_ROOTS: Final = frozenset({"quiz", "assessment-item", "manifest"})


def _text_format(text: str, name: str) -> Format:
    if is_curriculum(text):
        return "curriculum"
    first = text.partition("\n")[0]
    if first.startswith("{") and _is_json_object(first):
        return "ndjson"
    if heading_of(first) is not None:
        return "csv"
    hinted = next((kind for end, kind in _ENDINGS.items() if name.endswith(end)), None)
    if hinted is not None:
        return hinted
    if text.startswith("[") and not _GIFT_STYLE.match(text):
        raise Unreadable("the file is a JSON array; write one object per line, for example with `jq -c '.[]'`")
    if "{" in text or "::" in text or "$CATEGORY:" in text:
        return "gift"
    raise Unreadable("the file is in no format that is known: NDJSON, CSV, GIFT, Moodle XML or QTI")


def _is_json_object(line: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return line.startswith(('{"', '{ "'))


def _not_questions() -> Iterator[Item]:
    raise Unreadable("the file is a curriculum, which is imported as a whole and not question by question")


_READERS: Final[Mapping[Format, Callable[[bytes], Iterator[Item]]]] = MappingProxyType(
    {
        "gift": lambda data: named(read_gift(text_of(data))),
        "moodle": lambda data: named(read_moodle(data)),
        "qti": lambda data: named(read_qti(data)),
        "qti_package": lambda data: named(read_package(data)),
        "csv": lambda data: named(read_csv(text_of(data))),
        "ndjson": lambda data: read_ndjson(text_of(data)),
        "curriculum": lambda _: _not_questions(),
    }
)
