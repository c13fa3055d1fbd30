"""Keys, tokens and passwords in a text."""

import re
from collections.abc import Iterator
from typing import Any, Final

from pipeline.privacy.pattern import compiled

# What gives out keys marks them by how they begin; each group in brackets is what is to be hidden.
MARKED: Final[tuple[Any, ...]] = tuple(
    compiled(pattern)
    for pattern in (
        r"\b((?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,250})",
        r"\b(gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|glpat-[A-Za-z0-9_-]{16,100})",
        r"\b((?:AKIA|ASIA)[A-Z0-9]{16})\b",
        r"\b(AIza[A-Za-z0-9_-]{30,60}|ya29\.[A-Za-z0-9_-]{20,500})",
        r"\b(hf_[A-Za-z0-9]{30,60}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,500}|gl_[A-Za-z0-9_-]{43}|whsec_[A-Za-z0-9+/=]{20,100})",
        r"\b(eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?)",
    )
)
LIKELY: Final = (
    compiled(r"\b(sk-[A-Za-z0-9_-]{16,250}|xox[abeprs]-[A-Za-z0-9-]{10,250})"),
    compiled(r"\b(?:bearer|basic)\s{1,3}([A-Za-z0-9._~+/=-]{12,})", keep_case=False),
)
IN_URL: Final = compiled(r"[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"']{0,64}:([^\s/@\"']{1,128})@", keep_case=False)

_NAMES: Final = (
    r"pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_ -]?key|(?:access|auth|client|secret|private|session|refresh)"
    r"(?:[_ -](?:access|auth|key|token|secret|id))+|비밀번호|암호|패스워드|密码|口令"
    r"|暗証番号|パスワード|passwort|kennwort|contraseña"
)
ASSIGNED: Final = compiled(
    rf"(?:{_NAMES})[\"']?(?:\s{{0,3}}(=|:|：)\s{{0,3}}|\s{{1,3}}(?:is|ist|lautet)\s{{1,3}}|(?:는|은|は|是)\s{{0,3}})"
    r"(?:\"([^\"\n]{4,128})\"|'([^'\n]{4,128})'|([^\s\"'<>,;]{4,128}))",
    keep_case=False,
)
_STANDS_FOR: Final = "<{$%["
"""What begins so in the place of a password stands for one: `<password>`, `{password}`, `$PASSWORD`."""
_QUOTED: Final = (2, 3)
_BARE: Final = 4
_LEAST_IN_PROGRAM: Final = 8
_LEAST_IN_PROSE: Final = 6

_KEY_BEGINS: Final = compiled(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_ENDS: Final = compiled(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY: Final = re.compile(r"(?:\s*[A-Za-z0-9+/=]{16,})*")


def find_secrets(text: str, *, programming: bool) -> Iterator[tuple[int, int]]:
    """Where secrets are: the values alone, never the names before them."""
    yield from private_keys(text)
    for pattern in MARKED:
        yield from (match.span(1) for match in pattern.finditer(text))
    for pattern in LIKELY:
        yield from (match.span(1) for match in pattern.finditer(text) if is_random(match[1]))
    yield from (match.span(1) for match in IN_URL.finditer(text) if match[1][0] not in _STANDS_FOR)
    yield from assigned(text, programming=programming)


def is_random(value: str) -> bool:
    """Whether it can come from a generator: with digits among the letters, unlike `sk-learn-and-other-names`."""
    return any(map(str.isdecimal, value)) and any(map(str.isalpha, value))


def private_keys(text: str) -> Iterator[tuple[int, int]]:
    """Private keys in PEM's armour; one that was cut off goes as far as its letters do."""
    ends = [match.end() for match in _KEY_ENDS.finditer(text)]
    passed, place = 0, 0
    for begin in _KEY_BEGINS.finditer(text):
        if begin.start() < passed:
            continue
        while place < len(ends) and ends[place] < begin.end():
            place += 1
        passed = ends[place] if place < len(ends) else end_of_key(text, begin.end())
        yield begin.start(), passed


def end_of_key(text: str, at: int) -> int:
    match = _KEY_BODY.match(text, at)
    return match.end() if match else at


def assigned(text: str, *, programming: bool) -> Iterator[tuple[int, int]]:
    """What is given as a password, a token or a key by name."""
    for match in ASSIGNED.finditer(text):
        group = next(number for number in (*_QUOTED, _BARE) if match[number] is not None)
        start, end = match.span(group)
        value = match[group].rstrip(".。!?)]}")
        behind = text[start + len(value) : start + len(value) + 1]
        if is_given(value, behind, sign=match[1], quoted=group in _QUOTED, programming=programming):
            yield start, end if group in _QUOTED else start + len(value)


def is_given(value: str, behind: str, *, sign: str | None, quoted: bool, programming: bool) -> bool:
    """Whether it is a secret rather than a word of a sentence or an expression of a program."""
    if any(blank in value for blank in " \t"):
        return False
    if programming:
        return len(value) >= _LEAST_IN_PROGRAM and is_random(value) and (quoted or not is_code(value, behind))
    if sign == "=":
        return is_random(value) or (len(value) >= _LEAST_IN_PROSE and not is_call(value, behind))
    return is_random(value) or (quoted and any(not character.isalpha() for character in value))


def is_code(value: str, behind: str) -> bool:
    """Whether it is a name or a call: `next_token2`, `tokens[0]`, `os.environ`, `input()`."""
    return value.replace(".", "_").isidentifier() or is_call(value, behind)


def is_call(value: str, behind: str) -> bool:
    return any(sign in value + behind for sign in "([{")
