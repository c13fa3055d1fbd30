"""QTI by the file: one item in XML, or a content package with a manifest.

The package is described at https://www.imsglobal.org/content/packaging; difficulty and keywords are IEEE LOM.
"""

import posixpath
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from pipeline.importing.archive import Archive
from pipeline.importing.item import Found, Left, Unreadable
from pipeline.importing.placing import level_of
from pipeline.importing.qti import qti_item
from pipeline.importing.qti_names import qti_tree
from pipeline.importing.xml_tree import Node, read_xml

MANIFEST: Final = "imsmanifest.xml"


def read_qti(data: bytes) -> Iterator[Found | Left]:
    """A file with one item, or with several inside another element."""
    root = qti_tree(read_xml(data))
    for node in root.within():
        if node.tag == "assessment-item":
            yield qti_item(f"item {node.attributes.get('identifier', '')[:80]} (line {node.line})", node)


def read_package(data: bytes) -> Iterator[Found | Left]:
    """The items a package's manifest names, in its order; tests and unreadable items are left."""
    archive = Archive(data)
    if MANIFEST not in archive:
        raise Unreadable(f"the zip archive is no QTI package: it has no {MANIFEST}")
    manifest = qti_tree(read_xml(archive.read(MANIFEST)))
    seen: set[str] = set()
    for resource in (node for node in manifest.within() if node.tag == "resource"):
        kind, path = resource.attributes.get("type", "").lower(), _path_of(resource)
        if "test" in kind or "section" in kind:
            yield Left(path[:100], "a test or section of one, not a question")
        elif "item" in kind and path not in seen:
            seen.add(path)
            yield _resource(archive, path, resource)


def _path_of(resource: Node) -> str:
    return posixpath.normpath(unquote(resource.attributes.get("href", "")))


def _resource(archive: Archive, path: str, resource: Node) -> Found | Left:
    try:
        root = qti_tree(read_xml(archive.read(path)))
    except Unreadable as reason:
        return Left(path[:100], str(reason))
    if root.tag != "assessment-item":
        return Left(path[:100], f"has {root.tag[:40]!r} where an item should be")
    keywords = [node.text() for node in resource.within() if node.tag == "keyword"]
    levels = [level_of(node.text("value") or node.text()) for node in resource.within() if node.tag == "difficulty"]
    return qti_item(path[:100], root, keywords, levels[0] if levels else None)
