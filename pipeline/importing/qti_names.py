"""One spelling for the names of QTI: version 3 writes `qti-choice-interaction`, version 2 `choiceInteraction`."""

import re
from typing import Final

from pipeline.importing.xml_tree import Node

_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")
_PREFIX: Final = "qti-"


def qti_tree(root: Node) -> Node:
    """The tree with all names as `choice-interaction` and `response-identifier`."""
    for node in root.within():
        node.tag = _spelt(node.tag)
        node.attributes = {_spelt(name): value for name, value in node.attributes.items()}
    return root


def _spelt(name: str) -> str:
    return _HUMP.sub(r"-\1", name).lower().removeprefix(_PREFIX)
