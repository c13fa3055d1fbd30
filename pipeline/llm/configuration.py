"""Which models there are: from one readable file, or from the keys that the environment holds.

Nothing of the SDKs is needed for it, so that doors and `gradeline doctor` can read it too. The file's form is in
`pipeline/llm/declaration.py`.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

from pipeline.errors import SettingsError
from pipeline.exchange import Experiment, Place, Price, Route
from pipeline.llm.address import address_problem
from pipeline.llm.credential import Credential, Secret
from pipeline.llm.declaration import DEFAULT_BASE_URLS, VARIABLE, Entry, ProviderIn, declared
from pipeline.llm.proxy import proxy_problem
from pipeline.settings import Settings

FILE_SETTING: Final = "GRADELINE_AI_CONFIG"
FIRST_TEXT_SHARE: Final = 0.5
"""So much of a request's time may pass until the first text, where the file does not say."""


class AiConfigurationError(SettingsError):
    """What language models are to be used cannot be made out; it lists every problem, none of which quotes a key."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class AiConfiguration(msgspec.Struct, frozen=True):
    """The models that may be asked, how to get at each provider, and what is being compared.

    `source` says where it comes from, in words for operators. Without routes, templates write all feedback.
    """

    source: str
    routes: tuple[Route, ...] = ()
    credentials: Mapping[str, Credential] = MappingProxyType({})
    experiments: tuple[Experiment, ...] = ()


def read_configuration(settings: Settings, environment: Mapping[str, str] | None = None) -> AiConfiguration:
    """The configuration of this installation; raises `AiConfigurationError`."""
    environment = os.environ if environment is None else environment
    if settings.ai_config is None:
        found = configuration_from_environment(settings, environment)
    else:
        found = configuration_of(read_file(Path(settings.ai_config)), settings.ai_config, settings, environment)
    problems = (proxy_problem(credential.base_url, environment) for credential in found.credentials.values())
    if named := tuple(dict.fromkeys(problem for problem in problems if problem)):
        raise AiConfigurationError(named)
    return found


def read_file(path: Path) -> Mapping[str, Any]:
    """The tables of the file; raises `AiConfigurationError` where it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AiConfigurationError((f"{FILE_SETTING}: cannot read {path}: {error.strerror}",)) from None
    except UnicodeDecodeError:
        raise AiConfigurationError((f"{path}: is no UTF-8 text",)) from None
    except tomllib.TOMLDecodeError as error:
        raise AiConfigurationError((f"{path}: is no TOML: {error}",)) from None


def configuration_of(
    tables: Mapping[str, Any], file: str, settings: Settings, environment: Mapping[str, str]
) -> AiConfiguration:
    """What a file's tables say, with the keys that it names; raises `AiConfigurationError` with all there is wrong."""
    found = declared(tables, file)
    missing = (missing_key(entry, environment) for entry in found.providers)
    problems = (*found.problems, *(problem for problem in missing if problem))
    if problems:
        raise AiConfigurationError(problems)
    providers = [entry.value for entry in found.providers if entry.value is not None]
    credentials = {provider.name: credential_of(provider, environment) for provider in providers}
    routes = tuple(route_of(provider, credentials[provider.name], settings) for provider in providers)
    return AiConfiguration(file, routes, MappingProxyType(credentials), found.experiments)


def missing_key(entry: Entry[ProviderIn], environment: Mapping[str, str]) -> str | None:
    """The problem of a key that a provider names and the environment does not hold."""
    variable = entry.fields.get("api_key_env", "")
    if not VARIABLE.fullmatch(variable) or key_in(environment, variable):
        return None
    return f"{entry.where}, api_key_env: the variable {variable} is not set"


def key_in(environment: Mapping[str, str], variable: str) -> str:
    """A key without the line's end that files of secrets have; "" where there is none."""
    return environment.get(variable, "").strip()


def credential_of(provider: ProviderIn, environment: Mapping[str, str]) -> Credential:
    key = key_in(environment, provider.api_key_env or "")
    return Credential(base_url_of(provider), Secret(key) if key else None)


def configuration_from_environment(settings: Settings, environment: Mapping[str, str]) -> AiConfiguration:
    """The providers whose keys are there under the SDKs' usual names; raises `AiConfigurationError`."""
    given = [
        ("OPENAI", ProviderIn(name="openai", kind="openai", model=settings.openai_model)),
        ("ANTHROPIC", ProviderIn(name="anthropic", kind="anthropic", model=settings.anthropic_model)),
    ]
    problems, routes, credentials = list[str](), list[Route](), dict[str, Credential]()
    for prefix, bare in given:
        if not (key := key_in(environment, f"{prefix}_API_KEY")):
            continue
        provider = msgspec.structs.replace(bare, base_url=environment.get(f"{prefix}_BASE_URL") or None)
        credential = Credential(base_url_of(provider), Secret(key))
        if problem := address_problem(credential.base_url, Place.CLOUD):
            problems.append(f"{prefix}_BASE_URL: {problem}")
        credentials[provider.name] = credential
        routes.append(route_of(provider, credential, settings))
    if problems:
        raise AiConfigurationError(tuple(problems))
    return AiConfiguration("the environment", tuple(routes), MappingProxyType(credentials))


def base_url_of(provider: ProviderIn) -> str:
    return provider.base_url or DEFAULT_BASE_URLS[provider.kind]


def route_of(provider: ProviderIn, credential: Credential, settings: Settings) -> Route:
    """The way to a provider's model; what the file leaves open is as the settings or `Route` have it."""
    return Route(
        provider=provider.name,
        kind=provider.kind,
        model=provider.model,
        account=credential.account,
        place=provider.place,
        weight=provider.weight,
        concurrency=provider.concurrency or settings.ai_concurrency,
        timeout_seconds=provider.timeout_seconds,
        first_text_seconds=provider.first_text_seconds or provider.timeout_seconds * FIRST_TEXT_SHARE,
        price=price_of(provider),
        batch=provider.batch,
        structured=provider.structured,
        api=provider.api,
    )


def price_of(provider: ProviderIn) -> Price | None:
    return None if provider.price is None else Price(**msgspec.structs.asdict(provider.price))
