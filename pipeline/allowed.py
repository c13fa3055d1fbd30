"""What a value may be, in words: for people who gave another one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import inspect

SHOWN: Final = 60
"""So many characters of a wrong value are shown."""


def refusal(name: str, kind: Any, given: str) -> str:
    """The one line that says what `name` must be, by its type and the limits that it is annotated with."""
    return f"{name} must be {words(inspect.type_info(kind))}, not {shown(given)}"


def shown(given: str) -> str:
    """A value in quotes, on one line, or its beginning."""
    return repr(given) if len(given) <= SHOWN else f"{given[:SHOWN]!r}…"


def words(kind: Any) -> str:
    """What is of this type, one of msgspec's; raises `KeyError` for types that no text is read as."""
    return WORDS[type(kind)](kind)


def limits(kind: inspect.IntType | inspect.FloatType) -> str:
    """How large a number may be, as it stands behind the word."""
    if kind.ge is not None and kind.le is not None:
        return f" from {kind.ge:.0f} to {kind.le:.0f}"
    if kind.gt is not None and kind.le is not None:
        return f" above {kind.gt:.0f} and up to {kind.le:.0f}"
    return ""


def length(kind: inspect.StrType) -> str:
    """How long a text may be, as it stands behind the word."""
    return "" if kind.max_length is None else f" of {kind.min_length or 0} to {kind.max_length} characters"


def one_of(kind: inspect.UnionType) -> str:
    """What is of any of these types; that there may be nothing goes without saying."""
    return listed([words(one) for one in kind.types if not isinstance(one, inspect.NoneType)])


def listed(options: Sequence[str]) -> str:
    """`error, info or warning`, in the order given."""
    *others, last = options
    return f"{', '.join(others)} or {last}" if others else last


WORDS: Final[Mapping[type, Callable[[Any], str]]] = {
    inspect.Metadata: lambda kind: words(kind.type),
    inspect.UnionType: one_of,
    inspect.BoolType: lambda _: "true or false",
    inspect.IntType: lambda kind: f"a whole number{limits(kind)}",
    inspect.FloatType: lambda kind: f"a number{limits(kind)}",
    inspect.LiteralType: lambda kind: listed([str(value) for value in kind.values]),
    inspect.StrType: lambda kind: f"a text{length(kind)}",
    inspect.CustomType: lambda kind: f"a {kind.cls.__name__.lower()}",
}
