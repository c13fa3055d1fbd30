"""What `gradeline doctor` says of models: which there are, where, with a key or not; and whether they answer."""

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from cli.client import connected
from cli.connection import Connection
from cli.finding import Finding, Level
from cli.target import Target
from pipeline.bootstrap.trial import Trial, most_in_usd, price_is_known, try_models
from pipeline.errors import GradelineError
from pipeline.exchange import Place, Route, Trouble
from pipeline.llm.configuration import AiConfiguration, AiConfigurationError, read_configuration
from pipeline.settings import Settings

TEMPLATES: Final = Finding(
    "feedback",
    Level.OK,
    "written from built-in templates; no model is configured",
    "set OPENAI_API_KEY, ANTHROPIC_API_KEY or GRADELINE_AI_CONFIG, if models shall write it",
)
ADVICE: Final[Mapping[Trouble, str]] = MappingProxyType(
    {
        Trouble.UNAUTHORIZED: "check the key, and whether it may use this model",
        Trouble.QUOTA_SPENT: "top up the account, or raise its limit with the provider",
        Trouble.UNKNOWN_MODEL: "check the name of the model",
        Trouble.UNREACHABLE: "check base_url, and the way there",
        Trouble.BAD_REQUEST: 'check base_url and kind; `structured = "object"` may be all that this endpoint knows',
        Trouble.UNREADABLE: "check base_url: what answers there is no model's endpoint",
        Trouble.RATE_LIMITED: "try again in a minute",
    }
)
# The model is there and writes; that so few tokens are not enough for it says nothing against it.
WRITES: Final = frozenset({Trouble.TRUNCATED, Trouble.INVALID_REPLY})


def read_models(settings: Settings) -> tuple[AiConfiguration | None, list[Finding]]:
    """The configuration and what is to be said of it; None where it cannot be used."""
    try:
        configuration = read_configuration(settings)
    except AiConfigurationError as error:
        return None, [Finding("models", Level.FAIL, problem, "correct it") for problem in error.problems]
    if not configuration.routes:
        return configuration, [TEMPLATES]
    return configuration, [*models_found(configuration)]


def models_found(configuration: AiConfiguration) -> Iterator[Finding]:
    """One finding for each model, and one on what writes where none does."""
    yield Finding("feedback", Level.OK, f"written by models, from {configuration.source}; templates stand behind them")
    for route in configuration.routes:
        credential = configuration.credentials[route.provider]
        key = "with a key" if credential.api_key else "without a key"
        yield with_price(route, f"{route.place}, {credential.base_url}, {key}, not asked")


def with_price(route: Route, found: str) -> Finding:
    """A model, and whether budgets can be kept with it."""
    if route.place is Place.LOCAL or price_is_known(route):
        return Finding(f"model {route.name}", Level.OK, found)
    return Finding(
        f"model {route.name}",
        Level.WARN,
        f"{found}; nobody has published what it costs, so it counts as a dear one",
        "name its `price` in the file of GRADELINE_AI_CONFIG",
    )


async def check_servers_models(connection: Connection, settings: Settings) -> list[Finding]:
    """Whether the running system writes with the models that this shell names: it took its own when it started."""
    try:
        async with connected(Target(connection.url, connection.operator_key)) as client:
            told = await client.get("/v1/ops/llm")
    except GradelineError as error:
        return [Finding("its models", Level.WARN, str(error), "look into logs/ in its home")]
    try:
        here = {(route.provider, route.model) for route in read_configuration(settings).routes}
    except AiConfigurationError:
        return []  # said already
    return differing(here, told)


def differing(here: Collection[tuple[str, str]], told: Mapping[str, Any]) -> list[Finding]:
    """What is to be said where a running system's models are not those of this shell; `told` is `/v1/ops/llm`."""
    there = {(one["provider"], one["model"]) for one in told["providers"] if one["configured"]}
    if there == set(here):
        return []
    names = ", ".join(f"{provider}/{model}" for provider, model in sorted(there)) or "built-in templates alone"
    return [
        Finding(
            "its models",
            Level.WARN,
            f"the running system was started with others than this shell names: {names}",
            "start it again from this shell, if these are meant",
        )
    ]


async def ask_models(configuration: AiConfiguration) -> list[Finding]:
    """Whether each model answers a tiny request, and what that cost."""
    bound = most_in_usd(configuration.routes)
    trials = await try_models(configuration)
    spent = Finding("models asked", Level.OK, f"{len(trials)}, for {bound:.4f} US dollars at the very most")
    return [spent, *[tried(trial) for trial in trials]]


def tried(trial: Trial) -> Finding:
    """What came of asking one."""
    subject, failed = f"model {trial.route.name}, asked", trial.failed
    cost = "cost not known" if trial.usd is None else f"{trial.usd:.6f} US dollars"
    if failed is None or failed.trouble in WRITES:
        return Finding(subject, Level.OK, f"answered in {trial.seconds:.1f} s, {cost}")
    code = " ".join(str(part) for part in (failed.status, failed.code) if part is not None)
    found = f"{failed.trouble.replace('_', ' ')}{f' ({code})' if code else ''}: {failed.detail}"
    return Finding(subject, Level.FAIL, found, ADVICE.get(failed.trouble, "try again later; see the provider's status"))
