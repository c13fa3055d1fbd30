"""All settings, as one frozen value read once at start from `GRADELINE_*` variables."""

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from pipeline.allowed import refusal
from pipeline.errors import SettingsError
from pipeline.schedule import Schedule, read_schedule

PREFIX: Final = "GRADELINE_"

# Read by client commands and tests, not by servers; allowed so that one environment serves both.
CLIENT_VARIABLES: Final = frozenset({"GRADELINE_URL", "GRADELINE_API_KEY", "GRADELINE_TEST_DATA"})

MOST: Final = 3_153_600_000
"""The largest number there is: a hundred years in seconds. Beyond it clocks, Postgres and Redis fail one by one."""

Positive = msgspec.Meta(gt=0, le=MOST)
NotNegative = msgspec.Meta(ge=0, le=MOST)
Named = msgspec.Meta(min_length=1, max_length=200)
Dollars = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]

MIXED_KINDS: Final = 3
MIX_DIGITS: Final = 6

# An origin as browsers send it: scheme, host and port in small letters, nothing after them.
ORIGIN: Final = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


def described(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class RateLimit(msgspec.Struct, frozen=True):
    """`count` requests in any window of `window_seconds`."""

    count: int
    window_seconds: int


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting of the servers and workers; the variable is the field's name in capitals after the prefix."""

    database_url: Annotated[
        str | None, described("Postgres to use, as postgresql://…; unset: an embedded one under home.")
    ] = None
    redis_url: Annotated[
        str | None, described("Redis or Valkey to use, as redis://…/0; unset: an embedded one under home.")
    ] = None
    queue_redis_url: Annotated[
        str | None,
        described("Redis for the Dramatiq queues; unset: the next database number of redis_url's server."),
    ] = None
    home: Annotated[Path, described("Where embedded servers keep their data and logs.")] = Path(".gradeline")
    host: Annotated[str, described("Address the API listens on.")] = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535, description="Port of the API; 0 takes any free one.")] = 8000
    cors_origins: Annotated[
        str | None,
        described("Origins whose pages may call the API from a browser, as https://a.example,https://b.example."),
    ] = None
    rate_limits: Annotated[Literal["on", "off"], described("`off` switches all rate limits off.")] = "on"
    rate_limit_submissions: Annotated[str, described("Submissions per learner, as count/seconds.")] = "10/300"
    rate_limit_tenant: Annotated[str, described("Submissions per tenant, as count/seconds.")] = "100000/60"
    rate_limit_feedback: Annotated[
        str, described("Submissions with feedback by models per learner, as count/seconds; templates write beyond.")
    ] = "20/300"
    rate_limit_generation: Annotated[
        str, described("Summaries and drafts of questions asked for per caller, as count/seconds.")
    ] = "5/600"
    max_body_bytes: Annotated[int, Positive, described("Largest body of one request, in bytes.")] = 1_048_576
    max_batch_bytes: Annotated[int, Positive, described("Largest body of a batch or an import, in bytes.")] = 33_554_432
    max_answers: Annotated[int, Positive, described("Most answers in one submission.")] = 500
    max_metadata_bytes: Annotated[
        int, Positive, described("Largest metadata of one submission, as JSON, in bytes.")
    ] = 16_384
    api_pool_size: Annotated[int, Positive, described("Postgres connections of one API process.")] = 12
    worker_pool_size: Annotated[int, Positive, described("Postgres connections of one worker process.")] = 12
    worker_nice: Annotated[
        int,
        msgspec.Meta(ge=0, le=19, description="How far a worker stands back for other processes: its `nice` value."),
    ] = 5
    worker_concurrency: Annotated[int, Positive, described("Rings one worker process handles at once.")] = 16
    worker_batch: Annotated[int, Positive, described("Most submissions a worker handles in one transaction.")] = 200
    lease_seconds: Annotated[
        float, Positive, described("How long a claim lasts unless its worker renews it, in seconds.")
    ] = 30.0
    heartbeat_seconds: Annotated[
        float, Positive, described("How often a worker says that it lives and renews its leases, in seconds.")
    ] = 2.0
    worker_dead_seconds: Annotated[
        float, Positive, described("Silence after which a worker counts as dead, in seconds.")
    ] = 8.0
    sweep_seconds: Annotated[float, Positive, described("How often the sweeper looks, in seconds.")] = 1.0
    sweep_grace_seconds: Annotated[
        float, Positive, described("How long rung work may lie untaken before it is rung again, in seconds.")
    ] = 3.0
    max_attempts: Annotated[int, msgspec.Meta(ge=1, le=100, description="Attempts of a stage before it is dead.")] = 5
    retry_base_seconds: Annotated[
        float,
        Positive,
        described("Upper bound of the first retry's random delay; doubles each time, in seconds."),
    ] = 1.0
    retry_cap_seconds: Annotated[float, Positive, described("Upper bound of any retry's delay, in seconds.")] = 300.0
    shutdown_seconds: Annotated[
        float, Positive, described("How long running work may take to finish after SIGTERM, in seconds.")
    ] = 10.0
    status_ttl_seconds: Annotated[int, Positive, described("How long a status stays in Redis, in seconds.")] = 86_400
    result_ttl_seconds: Annotated[
        int, Positive, described("How long a finished submission stays in Redis, in seconds.")
    ] = 604_800
    learner_token_seconds: Annotated[int, Positive, described("Longest life of a learner token, in seconds.")] = 3_600
    key_cache_seconds: Annotated[
        float,
        Positive,
        described("How long a verified API key may be used without asking Postgres, in seconds."),
    ] = 2.0
    webhook_allow_private: Annotated[
        bool, described("Whether webhooks may go to private, loopback and link-local addresses.")
    ] = False
    webhook_give_up_seconds: Annotated[
        float,
        Positive,
        described("How long a webhook delivery is retried before it is given up, in seconds."),
    ] = 86_400.0
    webhook_keep_seconds: Annotated[
        float,
        Positive,
        described("How long a finished webhook delivery and the ledger of its tries are kept, in seconds."),
    ] = 2_592_000.0
    webhook_timeout_seconds: Annotated[
        float, Positive, described("How long one webhook request may take, in seconds.")
    ] = 10.0
    ai_config: Annotated[
        str | None,
        described(
            "TOML file that names language models and how they are used (docs/ai.toml); unset: those whose keys are in "
            "OPENAI_API_KEY and ANTHROPIC_API_KEY; without any, feedback comes from templates."
        ),
    ] = None
    openai_model: Annotated[str, Named, described("Model used with OPENAI_API_KEY where no file says otherwise.")] = (
        "gpt-6-luna"
    )
    anthropic_model: Annotated[
        str, Named, described("Model used with ANTHROPIC_API_KEY where no file says otherwise.")
    ] = "claude-haiku-5-5"
    ai_feedback_on: Annotated[
        Literal["all", "mistakes"], described("Which answers models write feedback on; blank ones never.")
    ] = "all"
    ai_answers: Annotated[
        int, Positive, described("Most answers of one submission that models write on; templates write on the others.")
    ] = 10
    ai_concurrency: Annotated[
        int, Positive, described("Requests to models under way at once, over all processes together.")
    ] = 5
    ai_slots: Annotated[
        int, Positive, described("Submissions that one worker process has feedback written on at once.")
    ] = 200
    ai_deadline_seconds: Annotated[
        float, Positive, described("How long one text by a model may take, with all retries, in seconds.")
    ] = 60.0
    ai_queue_seconds: Annotated[
        float,
        Positive,
        described("How long a text waits for its turn while all requests are taken, in seconds; then templates serve."),
    ] = 300.0
    ai_cache_seconds: Annotated[
        float,
        NotNegative,
        described("How long a model's reply also serves equal answers of other submissions, in seconds."),
    ] = 600.0
    ai_keep_seconds: Annotated[
        float, Positive, described("How long a model's reply is kept for retries of what it was paid for, in seconds.")
    ] = 604_800.0
    ai_ledger_seconds: Annotated[
        float, Positive, described("How long every single request to a model is kept in the ledger, in seconds.")
    ] = 34_560_000.0
    ai_tenant_daily_usd: Annotated[
        Dollars | None,
        described("Most that a tenant without a limit of its own spends on models in a day (UTC); unset: no limit."),
    ] = None
    ai_learner_daily_usd: Annotated[
        Dollars | None,
        described("Most that is spent on models for one learner in a day (UTC); unset: no limit."),
    ] = None
    ai_batch_hours: Annotated[
        float,
        Positive,
        described("How long feedback on submissions of low priority may wait for half the price, in hours."),
    ] = 24.0
    ai_generation_seconds: Annotated[
        float,
        Positive,
        described(
            "How long one summary or one set of questions may take, all models and retries together, in seconds."
        ),
    ] = 300.0
    generation_keep_seconds: Annotated[
        float, Positive, described("How long a finished summary or set of questions is kept, in seconds.")
    ] = 2_592_000.0
    nightly: Annotated[
        str, described("When statistics, learners at risk and the expiry of old data are seen to: a crontab line, UTC.")
    ] = "0 3 * * *"
    weekly: Annotated[str, described("When learners' reports on the last week are made: a crontab line, UTC.")] = (
        "0 4 * * mon"
    )
    report_keep_seconds: Annotated[
        float, Positive, described("How long a learner's weekly report is kept, in seconds.")
    ] = 31_536_000.0
    risk_keep_seconds: Annotated[
        float, Positive, described("How long it is kept which learner was at risk on a day, in seconds.")
    ] = 31_536_000.0
    periodic_keep_seconds: Annotated[
        float, Positive, described("How long it is kept when a periodic job ran and what became of it, in seconds.")
    ] = 31_536_000.0
    recommend_mix: Annotated[
        str,
        described(
            "Shares of the recommended questions: for weaknesses (half of them at least), for review, as a challenge."
        ),
    ] = "60/20/20"
    recommend_count: Annotated[
        int, msgspec.Meta(ge=1, le=50, description="Questions recommended after a submission, and to whoever asks.")
    ] = 5
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], described("Least severe log lines that are written.")
    ] = "info"
    log_format: Annotated[Literal["json", "console"], described("`json` for machines, `console` for people.")] = "json"

    @property
    def submission_limit(self) -> RateLimit:
        return parse_rate_limit("rate_limit_submissions", self.rate_limit_submissions)

    @property
    def tenant_limit(self) -> RateLimit:
        return parse_rate_limit("rate_limit_tenant", self.rate_limit_tenant)

    @property
    def feedback_limit(self) -> RateLimit:
        return parse_rate_limit("rate_limit_feedback", self.rate_limit_feedback)

    @property
    def generation_limit(self) -> RateLimit:
        return parse_rate_limit("rate_limit_generation", self.rate_limit_generation)

    @property
    def recommend_shares(self) -> tuple[int, int, int]:
        return parse_mix("recommend_mix", self.recommend_mix)

    @property
    def browser_origins(self) -> tuple[str, ...]:
        return parse_origins("cors_origins", self.cors_origins)

    @property
    def nightly_schedule(self) -> Schedule:
        return read_schedule(variable_of("nightly"), self.nightly)

    @property
    def weekly_schedule(self) -> Schedule:
        return read_schedule(variable_of("weekly"), self.weekly)

    @property
    def limits_enabled(self) -> bool:
        return self.rate_limits == "on"


def parse_rate_limit(name: str, text: str) -> RateLimit:
    """`"10/300"` → 10 per 300 seconds; anything else is a `SettingsError` that names the setting."""
    count, _, seconds = text.partition("/")
    if not (count.isdecimal() and seconds.isdecimal() and int(count) > 0 and int(seconds) > 0):
        raise SettingsError(f"{variable_of(name)} must be count/seconds such as 10/300, not {text!r}")
    return RateLimit(int(count), int(seconds))


def parse_mix(name: str, text: str) -> tuple[int, int, int]:
    """`"60/20/20"` → the three; anything else, or less than half for the first, is a `SettingsError`."""
    parts = text.split("/")
    if len(parts) != MIXED_KINDS or not all(part.isdecimal() and len(part) <= MIX_DIGITS for part in parts):
        raise SettingsError(f"{variable_of(name)} must be three whole numbers such as 60/20/20, not {text!r}")
    weakness, review, challenge = map(int, parts)
    if weakness < review + challenge or weakness == 0:
        raise SettingsError(f"{variable_of(name)} must give weaknesses at least half of it, which {text!r} does not")
    return weakness, review, challenge


def parse_origins(name: str, text: str | None) -> tuple[str, ...]:
    """`"https://a.example,http://localhost:3000"` → both; anything but exact origins is a `SettingsError`."""
    origins = tuple(dict.fromkeys(origin.strip() for origin in (text or "").split(",") if origin.strip()))
    for origin in origins:
        if not ORIGIN.fullmatch(origin):
            raise SettingsError(
                f"{variable_of(name)} must list exact origins such as https://school.example or "
                f"http://localhost:3000 (no path, no *), not {origin!r}"
            )
    return origins


def variable_of(field: str) -> str:
    return PREFIX + field.upper()


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in `environment` (default: the process's); raises `SettingsError` naming a bad variable.

    An empty value counts as unset, so that compose files may pass variables through.
    """
    environment = os.environ if environment is None else environment
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX) and value != ""}
    fields = {variable_of(field.name): field for field in msgspec.structs.fields(Settings)}
    for name in sorted(given):
        if name not in fields and name not in CLIENT_VARIABLES:
            raise SettingsError(f"{name} is not a setting of Gradeline; see docs/settings.md for those that are")
    values: dict[str, Any] = {
        fields[n].name: _convert(n, value, fields[n].type) for n, value in given.items() if n in fields
    }
    settings = Settings(**values)
    _check_together(settings)
    return settings


def _convert(name: str, value: str, kind: Any) -> object:
    try:
        converted = msgspec.convert(value, kind, strict=False, dec_hook=lambda cls, raw: cls(raw))
    except (msgspec.ValidationError, ValueError, TypeError):
        raise SettingsError(refusal(name, kind, value)) from None
    if isinstance(converted, float) and not math.isfinite(converted):
        raise SettingsError(refusal(name, kind, value))
    return converted


def _check_together(settings: Settings) -> None:
    _ = settings.submission_limit, settings.tenant_limit, settings.browser_origins
    _ = settings.feedback_limit, settings.generation_limit
    _ = settings.nightly_schedule, settings.weekly_schedule
    _ = settings.feedback_limit, settings.generation_limit, settings.recommend_shares
    if settings.worker_dead_seconds < 2 * settings.heartbeat_seconds:
        raise SettingsError("GRADELINE_WORKER_DEAD_SECONDS must be at least twice GRADELINE_HEARTBEAT_SECONDS")
    if settings.lease_seconds < settings.worker_dead_seconds:
        raise SettingsError("GRADELINE_LEASE_SECONDS must be at least GRADELINE_WORKER_DEAD_SECONDS")
    for name, url, schemes in (
        ("database_url", settings.database_url, ("postgresql://", "postgres://", "postgresql+psycopg://")),
        ("redis_url", settings.redis_url, ("redis://", "rediss://", "unix://")),
        ("queue_redis_url", settings.queue_redis_url, ("redis://", "rediss://", "unix://")),
    ):
        if url is not None and not url.startswith(schemes):
            raise SettingsError(f"{variable_of(name)} must start with {' or '.join(schemes)}")
