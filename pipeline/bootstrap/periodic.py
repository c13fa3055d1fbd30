"""Which periodic jobs there are, when they come and what they do. A job is added here, by one line."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.ports.analytics import AT_RISK_JOB
from pipeline.ports.periodic import JobPlan
from pipeline.service.at_risk import AtRisk
from pipeline.service.course import Courses
from pipeline.service.items import Items
from pipeline.service.periodic import PeriodicJob, for_each_tenant, one_after_another
from pipeline.service.report import Reports
from pipeline.settings import Settings
from pipeline.store.curriculum import CurriculumStore
from pipeline.store.expiry import DELETED_AT_ONCE, ExpiryStore
from pipeline.store.group import GroupStore
from pipeline.store.item import ItemStore
from pipeline.store.learner import LearnerStore
from pipeline.store.question import QuestionVersions
from pipeline.store.report import ReportStore
from pipeline.store.risk import RiskStore

ITEMS_AT_ONCE: Final = 5_000
"""Questions in one piece: each reads all answers once, so there are few pieces."""
REPORTS_AT_ONCE: Final = 50
"""Learners in one piece of the weekly reports; each takes some ten look-ups."""


def build_reports(engine: AsyncEngine, curricula: CurriculumStore) -> Reports:
    """What makes the weekly reports."""
    store = ReportStore(engine, QuestionVersions())
    return Reports(store, LearnerStore(engine), Courses(store, curricula))


def build_periodic_jobs(settings: Settings, engine: AsyncEngine) -> tuple[PeriodicJob, ...]:
    """All of them. What a tenant's step must be like, `pipeline.ports.periodic.TenantStep` says."""
    nightly = settings.nightly_schedule
    expiry = ExpiryStore(
        engine,
        reports_seconds=settings.report_keep_seconds,
        risks_seconds=settings.risk_keep_seconds,
        runs_seconds=settings.periodic_keep_seconds,
    )
    expire = one_after_another(
        {
            "reports": expiry.expire_reports,
            "risks": for_each_tenant(expiry.next_tenant, expiry.expire_risks, most=DELETED_AT_ONCE),
            "runs": expiry.expire_runs,
        }
    )
    at_risk = AtRisk(RiskStore(engine), GroupStore(engine), CurriculumStore(engine))
    detect = for_each_tenant(expiry.next_tenant, at_risk.detect_at_risk)
    analyse = for_each_tenant(expiry.next_tenant, Items(ItemStore(engine)).analyse_items, most=ITEMS_AT_ONCE)
    reports = build_reports(engine, CurriculumStore(engine))
    return (
        PeriodicJob(JobPlan(AT_RISK_JOB, nightly), detect),
        PeriodicJob(JobPlan("expiry", nightly, each=False), expire),
        PeriodicJob(JobPlan("items", nightly, each=False), analyse),
        PeriodicJob(
            JobPlan("weekly-reports", settings.weekly_schedule),
            for_each_tenant(expiry.next_tenant, reports.make_last_weeks, most=REPORTS_AT_ONCE),
        ),
    )
