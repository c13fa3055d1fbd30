"""A learner's own name in a text: which names we know, and where they are written.

A name counts as a whole word, in any case, width or composition. Korean particles may follow it. Chinese and Japanese
have no blanks, so there it counts anywhere.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from pipeline.privacy.spelling import is_cjk, is_hangul, is_joined

_NAME_KEYS: Final = (
    "name firstname lastname surname givenname familyname middlename fullname displayname nickname preferredname "
    "username studentname learnername realname legalname"
)
NAME_KEYS: Final = frozenset(_NAME_KEYS.split())
"""Fields of a submission's metadata that hold a name, in small letters without separators."""
PERSON_KEYS: Final = frozenset({"learner", "student", "user", "person", "author", "profile"})
"""Fields whose own fields are looked through as well."""
MOST_NAMES: Final = 32
LONGEST_NAME: Final = 100
LEAST_CHARS: Final = 2
SHORT_CHARS: Final = 2
"""Names so short are words of some language: written small they are taken for those."""

_ALSO_WORDS: Final = (
    "art bill bob chance charity chase chip christian chuck clay cliff dale dawn dean don drew earnest eve faith frank "
    "gene glen grace grant guy hank harmony hope hunter iris ivy jack jade jasmine joy june king lance lily mark mason "
    "max may miles min nick olive page pat patience pearl penny pierce ray rich rob robin rod rose ruby rusty sandy "
    "sky skip sonny stew storm sue sunny ted tiffany trinity van victor violet wade ward will young long so an can do "
    "he she you me my in on at to the and or not for if else list dict map set"
)
ALSO_WORDS: Final = frozenset(_ALSO_WORDS.split())
"""Words that are names too: written small they are taken for words."""

_SEPARATORS: Final = re.compile(r"[\s_.-]+")
_PARTICLE: Final = re.compile(
    r"(?:씨|님|군|양|이|가)?(?:은|는|이|가|을|를|의|도|만|과|와|랑|이랑|에게|에게서|한테|께|께서|로|으로|라고|이라고|입니다|이다|예요|이에요|이며|이고|야|아|여|부터|까지|처럼|보다)?"
    r"(?![\uac00-\ud7a3\u1100-\u11ff\u3130-\u318f])"
)
_PARTICLE_CHARS: Final = 24
_IN_CODE: Final = re.compile(r"[(\[{.:=]|\s*=")


def names_in(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that a submission's metadata tells, such as `name`, `first_name` or `student.display_name`."""
    found = dict[str, str]()
    for key, value in metadata.items():
        plain = plain_key(key)
        if plain in NAME_KEYS and isinstance(value, str):
            found.setdefault(plain, value)
        elif plain in PERSON_KEYS and isinstance(value, Mapping):
            found |= {
                plain_key(inner): name
                for inner, name in value.items()
                if plain_key(inner) in NAME_KEYS and isinstance(name, str)
            }
    return tuple(dict.fromkeys((*found.values(), *together(found))))[:MOST_NAMES]


def plain_key(key: str) -> str:
    return _SEPARATORS.sub("", key).lower()


def together(found: Mapping[str, str]) -> Iterator[str]:
    """First and last name as they are written together: `Ada Lovelace`, `김 민수`, `김민수`."""
    given = found.get("firstname") or found.get("givenname")
    family = found.get("lastname") or found.get("surname") or found.get("familyname")
    if given and family:
        yield from (f"{given} {family}", f"{family} {given}", f"{family}{given}")


def find_names(text: str, known_names: Sequence[str], *, programming: bool) -> Iterator[tuple[int, int]]:
    """Where the known names are written; in programs, names of variables and functions are left alone."""
    forms = forms_of(known_names)
    if not forms:
        return
    folded, places = folded_with_places(text)
    for form in forms:
        at = folded.find(form)
        while at >= 0:
            start, end = places[at], places[at + len(form)]
            whole = (at == 0 or places[at - 1] != start) and places[at + len(form) - 1] != end
            if whole and is_name(text, start, end, programming=programming):
                yield start, end
            at = folded.find(form, at + 1)


def forms_of(known_names: Sequence[str]) -> tuple[str, ...]:
    """The names and their words, folded; without single letters, which are no names, and single Han or Hangul."""
    forms = dict[str, None]()
    for name in known_names[:MOST_NAMES]:
        words = name[:LONGEST_NAME].split()
        for form in (" ".join(words), *words):
            bare = form.strip(".,;:()[]{}'\"@")
            if len(unicodedata.normalize("NFC", bare)) >= LEAST_CHARS and any(map(str.isalpha, bare)):
                forms["".join(map(folded_character, bare))] = None
    return tuple(sorted((form for form in forms if form), key=len, reverse=True))


@lru_cache(maxsize=4096)
def folded_character(character: str) -> str:
    """One character without case, width and accents, decomposed, so that it does not depend on its neighbours."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(part for part in decomposed if not "\u0300" <= part <= "\u036f")


def folded_with_places(text: str) -> tuple[str, Sequence[int]]:
    """The folded text, and for each of its characters, and its end, the place in `text` that it comes from."""
    if text.isascii():
        return text.lower(), range(len(text) + 1)
    parts = [folded_character(character) for character in text]
    places = [at for at, part in enumerate(parts) for _ in part]
    return "".join(parts), [*places, len(text)]


def is_name(text: str, start: int, end: int, *, programming: bool) -> bool:
    """Whether what is written there is the name as a whole, not a part of a word, and not a word itself."""
    written = text[start:end]
    if is_joined(text, start) or is_joined(text, end) or not ends_word(text, start, end):
        return False
    if written in ALSO_WORDS or (len(written) <= SHORT_CHARS and written.islower()):
        return False
    return not programming or is_cjk(written[0]) or not is_code(text, start, end)


def ends_word(text: str, start: int, end: int) -> bool:
    """For a name in Hangul, whether a word begins with it and goes on with particles at most; else True."""
    if start > 0 and is_hangul(text[start]) and is_hangul(text[start - 1]):
        return False
    if end < len(text) and is_hangul(text[end - 1]) and is_hangul(text[end]):
        behind = unicodedata.normalize("NFC", text[end : end + _PARTICLE_CHARS])
        return _PARTICLE.match(behind) is not None
    return True


def is_code(text: str, start: int, end: int) -> bool:
    """Whether a program uses it as a name of its own: written small or large, called, assigned to, an attribute."""
    if text[start:end].islower() or text[start:end].isupper() or text[start - 1 : start] in {".", "@", "$"}:
        return True
    return _IN_CODE.match(text, end) is not None
