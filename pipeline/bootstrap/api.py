"""What the HTTP door asks."""

from typing import Final

import msgspec

from pipeline.bootstrap.periodic import build_periodic_jobs
from pipeline.bootstrap.planning import build_plan
from pipeline.bootstrap.schooling import build_at_risk, build_careers, build_reports
from pipeline.bootstrap.servers import Servers, build_board, required
from pipeline.generation.quota import CallerQuota, Frequency
from pipeline.live.bell import RedisBell
from pipeline.live.board import RedisBoard
from pipeline.live.client import create_client
from pipeline.live.deltas import RedisDeltas
from pipeline.live.health import RedisHealth
from pipeline.live.limit import RedisCounter
from pipeline.live.local_health import HealthPolicy
from pipeline.live.watch import RedisWatch
from pipeline.llm.configuration import AiConfigurationError, read_configuration
from pipeline.service.access import Access
from pipeline.service.advising import Advising
from pipeline.service.at_risk import AtRisk
from pipeline.service.bank import Bank
from pipeline.service.careers import Careers
from pipeline.service.control import Control
from pipeline.service.course import Courses
from pipeline.service.curriculum import Curricula
from pipeline.service.erasure import Erasure
from pipeline.service.following import Following
from pipeline.service.generations import Generations
from pipeline.service.groups import Groups
from pipeline.service.health import Examination
from pipeline.service.insight import Configured, Insight
from pipeline.service.intake import IntakeLimits
from pipeline.service.items import Items
from pipeline.service.jobs import Jobs
from pipeline.service.learner import Learners
from pipeline.service.limits import Limits
from pipeline.service.operations import Operations
from pipeline.service.policy import Policing, default_policy
from pipeline.service.rating import Ratings
from pipeline.service.reading_along import ReadingAlong
from pipeline.service.report import Reports
from pipeline.service.reviewing import Reviewing
from pipeline.service.settling import Settling
from pipeline.service.showing import Showing
from pipeline.service.submitting import Intake
from pipeline.service.webhooks import Webhooks
from pipeline.settings import Settings
from pipeline.store.access import AccessStore
from pipeline.store.advising import AdvisingStore
from pipeline.store.bank import BankStore
from pipeline.store.control import ControlStore
from pipeline.store.curriculum import CurriculumStore
from pipeline.store.dead import DeadStore
from pipeline.store.erasure import ErasureStore
from pipeline.store.group import GroupStore
from pipeline.store.health import HealthStore
from pipeline.store.insight import InsightStore
from pipeline.store.item import ItemStore
from pipeline.store.job import JobStore
from pipeline.store.learner import LearnerStore
from pipeline.store.operations import OperationsStore
from pipeline.store.periodic import PeriodicStore
from pipeline.store.policy import PolicyStore
from pipeline.store.question import QuestionVersions
from pipeline.store.rating import RatingStore
from pipeline.store.reading import ReadingStore
from pipeline.store.report import ReportStore
from pipeline.store.settling import SettlementStore
from pipeline.store.submission import IntakeStore
from pipeline.store.upkeep import UpkeepStore
from pipeline.store.webhook import WebhookStore

WATCH_REPLY_SECONDS: Final = 8.0


class ApiParts(msgspec.Struct, frozen=True):
    """What the HTTP door asks."""

    settings: Settings
    servers: Servers
    intake: Intake
    intake_limits: IntakeLimits
    bank: BankStore
    questions: Bank
    curricula: Curricula
    learners: Learners
    advising: Advising
    reports: Reports
    erasure: Erasure
    reading: ReadingStore
    showing: Showing
    following: Following
    watch: RedisWatch
    control: Control
    board: RedisBoard
    access: Access
    operations: Operations
    jobs: Jobs
    policies: PolicyStore
    policing: Policing
    ratings: Ratings
    settling: Settling
    reviewing: Reviewing
    insight: Insight
    examination: Examination
    webhooks: Webhooks
    generations: Generations
    groups: Groups
    at_risk: AtRisk
    careers: Careers
    items: Items


def build_api(settings: Settings, servers: Servers) -> ApiParts:
    engine, versions = servers.engine, QuestionVersions()
    bank, learners, curricula = BankStore(engine), LearnerStore(engine), CurriculumStore(engine)
    reading, reports = ReadingStore(engine, versions, curricula), ReportStore(engine, versions)
    access = AccessStore(engine)
    watch = build_watch(settings, reading, access)
    board, bell = build_board(settings, servers), RedisBell(servers.queues)
    showing = Showing(store=reading, showcase=board, watch=watch)
    known = Learners(learners, reading, reports, Courses(reports, curricula))
    questions = Bank(bank, max_question_bytes=settings.max_body_bytes)
    policies, configured = build_policies(settings, servers), configured_models(settings)
    settlements = SettlementStore(engine, versions)
    return ApiParts(
        settings=settings,
        servers=servers,
        intake=build_intake(settings, servers, bank, board),
        intake_limits=IntakeLimits(settings.max_answers, settings.max_metadata_bytes, settings.webhook_allow_private),
        bank=bank,
        questions=questions,
        learners=known,
        advising=Advising(AdvisingStore(engine), known, plan=build_plan(settings)),
        curricula=Curricula(curricula, bank, learners),
        reports=build_reports(engine, reports, curricula),
        erasure=Erasure(ErasureStore(engine), learners, board),
        reading=reading,
        showing=showing,
        following=Following(watch=watch, showing=showing, reading_along=ReadingAlong(RedisDeltas(servers.redis))),
        watch=watch,
        control=Control(store=ControlStore(engine), reading=reading, bell=bell, board=board),
        board=board,
        access=Access(access, cache_seconds=settings.key_cache_seconds),
        operations=build_operations(settings, servers, board),
        jobs=Jobs(PeriodicStore(engine), [job.plan for job in build_periodic_jobs(settings, engine)]),
        policies=policies,
        policing=Policing(policies),
        ratings=Ratings(RatingStore(engine), reading),
        settling=Settling(store=settlements, reading=reading, bell=bell, board=board),
        reviewing=Reviewing(store=settlements, reading=reading),
        insight=build_insight(settings, servers, policies, configured),
        examination=Examination(HealthStore(engine), board.ping),
        webhooks=Webhooks(WebhookStore(engine), bell, allow_private=settings.webhook_allow_private),
        generations=build_generations(settings, servers, questions, policies, configured),
        groups=Groups(GroupStore(engine)),
        at_risk=build_at_risk(engine, curricula),
        careers=build_careers(engine, curricula),
        items=Items(ItemStore(engine)),
    )


def build_intake(settings: Settings, servers: Servers, bank: BankStore, board: RedisBoard) -> Intake:
    return Intake(
        store=IntakeStore(servers.engine),
        bank=bank,
        bell=RedisBell(servers.queues),
        board=board,
        limits=build_limits(settings, servers),
    )


def build_generations(
    settings: Settings, servers: Servers, questions: Bank, policies: PolicyStore, configured: Configured
) -> Generations:
    return Generations(
        JobStore(servers.engine),
        RedisBell(servers.queues),
        questions,
        routes=configured.routes,
        policies=policies,
        quota=build_caller_quota(settings, servers),
    )


def build_watch(settings: Settings, reading: ReadingStore, access: AccessStore) -> RedisWatch:
    """A watch with a connection of its own, on which it waits for seconds."""
    redis_url = required(settings.redis_url, "GRADELINE_REDIS_URL")
    client = create_client(redis_url, connections=2, reply_seconds=WATCH_REPLY_SECONDS)
    return RedisWatch(client, reading.standings, access.in_force)


def build_limits(settings: Settings, servers: Servers) -> Limits | None:
    if not settings.limits_enabled:
        return None
    return Limits(learner=settings.submission_limit, tenant=settings.tenant_limit, counter=RedisCounter(servers.redis))


def build_caller_quota(settings: Settings, servers: Servers) -> CallerQuota | None:
    if not settings.limits_enabled:
        return None
    return CallerQuota(Frequency(settings.generation_limit, RedisCounter(servers.redis)))


def build_operations(settings: Settings, servers: Servers, board: RedisBoard) -> Operations:
    return Operations(
        store=OperationsStore(servers.engine),
        dead=DeadStore(servers.engine),
        control=ControlStore(servers.engine),
        upkeep=UpkeepStore(servers.engine),
        bell=RedisBell(servers.queues),
        board=board,
        flow=board.flow,
        dead_seconds=settings.worker_dead_seconds,
    )


def build_policies(settings: Settings, servers: Servers) -> PolicyStore:
    return PolicyStore(servers.engine, default=default_policy(settings))


def build_insight(settings: Settings, servers: Servers, policies: PolicyStore, configured: Configured) -> Insight:
    return Insight(
        store=InsightStore(servers.engine),
        health=RedisHealth(servers.redis, HealthPolicy(concurrency=settings.ai_concurrency)),
        policies=policies,
        configured=configured,
    )


def configured_models(settings: Settings) -> Configured:
    """The models that this process was told of. It only shows them, so what is wrong with them does not stop it."""
    try:
        found = read_configuration(settings)
    except AiConfigurationError as error:
        return Configured(settings.ai_config or "the environment", problems=error.problems)
    return Configured(found.source, found.routes, found.experiments)
