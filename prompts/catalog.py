"""Reads the versioned texts: `prompts/<id>/<language>.jinja`, a front matter and a Jinja body.

The front matter stands between two `---` lines and has the fields `version` (a whole number, from 1)
and `purpose` (a sentence). A text for a language model also has `schema`, the name of what the reply must
be, and may have `after`, the id of a text that is put before it: rules that several prompts share. `id` and
`language` may be given and must then be those of the file.

Another version may stand beside the current one, as `<language>@<version>.jinja`, to be compared with it; it is
loaded by `<id>@<version>`.

`versions.json` keeps the digest of every version ever released, so a text that changes under an old version
number is found out, also when only the rules it shares change; `python -m prompts` enters new versions.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

LANGUAGES: Final = ("en", "ko", "ja", "zh")
RECORD: Final = "versions.json"
_SUFFIX: Final = ".jinja"
_FENCE: Final = "---\n"
_REQUIRED: Final = frozenset({"version", "purpose"})
_KNOWN: Final = _REQUIRED | {"id", "language", "schema", "after"}

Digests = Mapping[str, Mapping[str, str]]
"""For each `id/language`, the digest of each of its versions."""


class MalformedText(Exception):
    """A text of this package has no proper front matter; the message names the text."""


@dataclass(frozen=True)
class Text:
    """One version of one text in one language; `body` is Jinja source, with what it comes `after` in front.

    `schema` names the shape of the reply where the text is for a language model.
    """

    id: str
    language: str
    version: int
    purpose: str
    body: str
    schema: str | None = None

    @property
    def name(self) -> str:
        """Which text this is, whatever its version: `feedback/template/en`."""
        return f"{self.id}/{self.language}"

    @property
    def reference(self) -> str:
        """What results quote as `prompt_version`: `feedback/template/en@1`."""
        return f"{self.name}@{self.version}"

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the body, in hex."""
        return hashlib.sha256(self.body.encode()).hexdigest()


def load(text_id: str, language: str, root: Traversable | None = None) -> Text:
    """A text by its id, in its current version or, as `<id>@<version>`, in that one.

    Raises `FileNotFoundError` where there is none. `root` is the folder of all texts, by default this package.
    """
    plain_id, _, version = text_id.partition("@")
    folder = (root or files("prompts")).joinpath(*plain_id.split("/"))
    current = folder.joinpath(language + _SUFFIX)
    if version:
        beside = folder.joinpath(f"{language}@{version}{_SUFFIX}")
        text = _read(plain_id, beside if beside.is_file() else current)
        if str(text.version) != version:
            raise FileNotFoundError(f"there is no version {version} of {text.name}")
        return text
    return _read(plain_id, current)


def parse(text_id: str, language: str, source: str) -> Text:
    """Split a file's content into front matter and body; raises `MalformedText`."""
    name = f"{text_id}/{language}"
    opening, _, rest = source.partition(_FENCE)
    front, fence, body = rest.partition(_FENCE)
    if opening or not fence:
        raise MalformedText(f"{name} does not begin with a front matter between two --- lines")
    fields = dict(_field(name, line) for line in front.splitlines())
    _check_fields(name, fields, {"id": text_id, "language": language})
    shared = load(fields["after"], language).body if "after" in fields else ""
    return Text(text_id, language, int(fields["version"]), fields["purpose"], shared + body, fields.get("schema"))


def every() -> tuple[Text, ...]:
    """All texts of the package, by name."""
    return tuple(sorted(_texts_in(files("prompts"), ()), key=lambda text: text.name))


def recorded() -> Digests:
    """The committed digests of all versions released so far."""
    record: Digests = json.loads(files("prompts").joinpath(RECORD).read_text(encoding="utf-8"))
    return record


def changed_without_version(texts: tuple[Text, ...], digests: Digests) -> tuple[str, ...]:
    """References of texts whose words differ from what their version number stood for."""
    return tuple(
        text.reference
        for text in texts
        if digests.get(text.name, {}).get(str(text.version), text.digest) != text.digest
    )


def unrecorded(texts: tuple[Text, ...], digests: Digests) -> tuple[str, ...]:
    """References of texts whose version has no digest yet."""
    return tuple(text.reference for text in texts if str(text.version) not in digests.get(text.name, {}))


def with_new_versions(texts: tuple[Text, ...], digests: Digests) -> dict[str, dict[str, str]]:
    """The record with versions not yet in it added; versions that are in it stay as they are."""
    record = {name: dict(versions) for name, versions in digests.items()}
    for text in texts:
        record.setdefault(text.name, {}).setdefault(str(text.version), text.digest)
    return record


def _read(text_id: str, file: Traversable) -> Text:
    """The text in a file; raises `MalformedText` where the file's name promises another version."""
    language, _, version = file.name.removesuffix(_SUFFIX).partition("@")
    text = parse(text_id, language, file.read_text(encoding="utf-8"))
    if version and version != str(text.version):
        raise MalformedText(f"{text.name} says another version than its file {file.name}")
    return text


def _check_fields(name: str, fields: Mapping[str, str], place: Mapping[str, str]) -> None:
    if not set(fields) >= _REQUIRED or not fields["version"].isdecimal():
        raise MalformedText(f"{name} needs the fields version (a whole number) and purpose")
    if unknown := set(fields) - _KNOWN:
        raise MalformedText(f"{name} has unknown fields: {', '.join(sorted(unknown))}")
    if any(fields.get(field, value) != value for field, value in place.items()):
        raise MalformedText(f"{name} says another id or language than its file")


def _field(name: str, line: str) -> tuple[str, str]:
    key, colon, value = line.partition(":")
    if not colon:
        raise MalformedText(f"{name} has a front matter line that is not `field: value`")
    return key.strip(), value.strip()


def _texts_in(folder: Traversable, path: tuple[str, ...]) -> list[Text]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _texts_in(entry, (*path, entry.name))
        elif entry.name.endswith(_SUFFIX):
            found.append(_read("/".join(path), entry))
    return found
