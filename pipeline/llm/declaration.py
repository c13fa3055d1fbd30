"""The file in which an operator declares models and experiments: its tables, and everything that can be wrong in them.

A problem names the file, the table and the field, and never quotes a value: somebody may have put a key there.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

import msgspec

from pipeline.exchange import Arm, Experiment, Place
from pipeline.llm.address import address_problem

DEFAULT_BASE_URLS: Final = MappingProxyType(
    {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}
)
TABLES: Final = ("providers", "experiments")
KEY_FIELDS: Final = frozenset({"api_key", "apikey", "key", "token", "secret", "password"})
NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,49}")
VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
LEAST_ARMS: Final = 2

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=3600)]
Dollars = Annotated[float, msgspec.Meta(ge=0, le=100_000)]
Whole = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
Share = Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]


class PriceIn(msgspec.Struct, frozen=True, kw_only=True):
    """What a million tokens cost, in US dollars, where the published prices don't hold."""

    input_per_million: Dollars
    output_per_million: Dollars
    cached_input_per_million: Dollars | None = None


class ProviderIn(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[providers]]`: a model, where it is asked, and how much."""

    name: str
    kind: Literal["openai", "anthropic"]
    model: Words
    base_url: str | None = None
    api_key_env: str | None = None
    place: Place = Place.CLOUD
    weight: Whole = 1
    concurrency: Whole | None = None
    timeout_seconds: Seconds = 30.0
    first_text_seconds: Seconds | None = None
    structured: Literal["schema", "object", "none"] = "schema"
    api: Literal["chat", "responses"] = "chat"
    batch: bool = False
    price: PriceIn | None = None


class ArmIn(msgspec.Struct, frozen=True, kw_only=True):
    """One of the `arms` of an experiment."""

    name: str
    share: Share
    provider: str | None = None
    prompt: Words | None = None


class ExperimentIn(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[experiments]]`."""

    id: str
    arms: list[Any]


T = TypeVar("T", bound=msgspec.Struct)


class Entry(msgspec.Struct, Generic[T], frozen=True):
    """One table of the file: its place, those of its fields that can be read, and its value if all of them can."""

    where: str
    fields: Mapping[str, Any]
    value: T | None


class Declared(msgspec.Struct, frozen=True):
    """What a file declares. It is to be used only where there are no problems."""

    providers: tuple[Entry[ProviderIn], ...]
    experiments: tuple[Experiment, ...]
    problems: tuple[str, ...]


def declared(tables: Mapping[str, Any], file: str) -> Declared:
    """What the tables of `file` declare, with all that is wrong in them."""
    problems = [
        f"{file}: there is no table [{name}]; there are {listed(TABLES)}" for name in tables if name not in TABLES
    ]
    if "providers" not in tables:
        problems.append(f"{file}: [[providers]] is missing; `providers = []` means that no model is used")
    providers = entries(tables, "providers", "name", ProviderIn, file, problems)
    experiments = entries(tables, "experiments", "id", ExperimentIn, file, problems)
    for entry in providers:
        problems.extend(f"{entry.where}, {problem}" for problem in provider_problems(entry.fields))
    known = frozenset(entry.fields.get("name") for entry in providers)
    whole = tuple(read_experiment(entry, known, problems) for entry in experiments)
    return Declared(tuple(providers), whole, tuple(problems))


def entries(
    tables: Mapping[str, Any], name: str, label: str, kind: type[T], file: str, problems: list[str]
) -> list[Entry[T]]:
    """The tables of an array, each under a name of its own as `label`; what is wrong with them goes to `problems`."""
    found = tables.get(name, [])
    if not isinstance(found, list) or not all(isinstance(table, dict) for table in found):
        problems.append(f"{file}: {name} must be tables, each beginning with [[{name}]]")
        return []
    read, seen = list[Entry[T]](), set[str]()
    for number, table in enumerate(found, 1):
        title = table.get(label)
        named = isinstance(title, str) and NAME.fullmatch(title) is not None
        where = f"{file}, [[{name}]] {number} ({title})" if named else f"{file}, [[{name}]] {number}"
        if isinstance(title, str) and not named:
            problems.append(f"{where}, {label}: must be small letters, digits, dots and dashes, at most 50")
        if title in seen:
            problems.append(f"{where}, {label}: is that of another one above")
        if named:
            seen.add(title)
        read.append(entry_of(table, kind, where, problems))
    return read


def entry_of(table: Mapping[str, Any], kind: type[T], where: str, problems: list[str]) -> Entry[T]:
    """One table, read field by field."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    before = len(problems)
    problems.extend(f"{where}, {name}: {unknown(name, list(fields))}" for name in table if name not in fields)
    problems.extend(f"{where}, {f.name}: is missing" for f in fields.values() if f.required and f.name not in table)
    values: dict[str, Any] = {}
    for name in (name for name in fields if name in table):
        if name == "price" and isinstance(table[name], dict):
            values[name] = entry_of(table[name], PriceIn, f"{where}, {name}", problems).value
            continue
        try:
            values[name] = msgspec.convert(table[name], fields[name].type)
        except msgspec.ValidationError as error:
            problems.append(f"{where}, {name}: {worded(error, fields[name].type)}")
    return Entry(where, values, kind(**values) if len(problems) == before else None)


def unknown(name: str, known: list[str]) -> str:
    if name.lower() in KEY_FIELDS:
        return "keys are never in this file; name the environment variable that holds it as api_key_env"
    return f"there is no such field; there are {listed(known)}"


def worded(error: msgspec.ValidationError, kind: Any) -> str:
    """What is wrong, without the value that msgspec quotes of an enumeration."""
    choices = [str(choice) for choice in (Place if kind is Place else getattr(kind, "__args__", ()))]
    if "enum" in str(error):
        return f"must be one of {listed(choices)}"
    return str(error)


def provider_problems(fields: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a provider's fields beside their form; those that could not be read are not there."""
    place, variable, url = (fields.get(name) for name in ("place", "api_key_env", "base_url"))
    place = place or Place.CLOUD
    if variable is None and place is Place.CLOUD:
        yield "api_key_env: is missing; it names the environment variable that holds the key"
    elif variable is not None and not VARIABLE.fullmatch(variable):
        yield "api_key_env: must be the name of an environment variable, in capitals; the key itself stays out of here"
    if url is None and place is Place.LOCAL:
        yield "base_url: is missing; without it a provider's cloud would be asked"
    elif url is not None and (problem := address_problem(url, place)):
        yield f"base_url: {problem}"


def read_experiment(entry: Entry[ExperimentIn], providers: frozenset[Any], problems: list[str]) -> Experiment:
    """An experiment with those of its arms that can be read."""
    given = {"arms": entry.fields.get("arms", [])}
    arms = entries(given, "arms", "name", ArmIn, entry.where, problems)
    if "arms" in entry.fields and len(arms) < LEAST_ARMS:
        problems.append(f"{entry.where}, arms: there must be two at least")
    strays = (arm for arm in arms if arm.fields.get("provider") not in {None, *providers})
    problems.extend(f"{arm.where}, provider: is none of the [[providers]]" for arm in strays)
    whole = tuple(Arm(**msgspec.structs.asdict(arm.value)) for arm in arms if arm.value is not None)
    return Experiment(entry.fields.get("id", ""), whole)


def listed(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names)
