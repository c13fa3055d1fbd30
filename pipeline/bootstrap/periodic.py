"""Which periodic jobs there are, when they come and what they do. A job is added here, by one line."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.bootstrap.schooling import build_at_risk, build_reports
from pipeline.ports.analytics import AT_RISK_JOB
from pipeline.ports.periodic import JobPlan, Piece
from pipeline.service.items import Items
from pipeline.service.periodic import PeriodicJob, for_each_tenant, one_after_another
from pipeline.settings import Settings
from pipeline.store.curriculum import CurriculumStore
from pipeline.store.expiry import DELETED_AT_ONCE, ExpiryStore
from pipeline.store.item import ItemStore
from pipeline.store.question import QuestionVersions
from pipeline.store.report import ReportStore

ITEMS_AT_ONCE: Final = 5_000
"""Questions in one piece, where they have no more answers than `pipeline.store.item` reads at once."""
COMPARED_AT_ONCE: Final = 1_000
"""Learners in one piece of those whose answers to all questions are added up."""
REPORTS_AT_ONCE: Final = 50
"""Learners in one piece of the weekly reports. Busy ones take some hundredths of a second each."""


def build_periodic_jobs(settings: Settings, engine: AsyncEngine) -> tuple[PeriodicJob, ...]:
    """All of them. What a tenant's step must be like, `pipeline.ports.periodic.TenantStep` says."""
    nightly, weekly = settings.nightly_schedule, settings.weekly_schedule
    expiry, curricula = build_expiry(settings, engine), CurriculumStore(engine)
    items, at_risk = Items(ItemStore(engine)), build_at_risk(engine, curricula)
    reports = build_reports(engine, ReportStore(engine, QuestionVersions()), curricula)
    detect = for_each_tenant(expiry.next_tenant, at_risk.detect_at_risk)
    compare = for_each_tenant(expiry.next_tenant, items.compare_learners, most=COMPARED_AT_ONCE)
    analyse = for_each_tenant(expiry.next_tenant, items.analyse_items, most=ITEMS_AT_ONCE)
    figures = one_after_another({"learners": compare, "questions": analyse})
    report = for_each_tenant(expiry.next_tenant, reports.make_last_weeks, most=REPORTS_AT_ONCE)
    return (
        PeriodicJob(JobPlan(AT_RISK_JOB, nightly), detect),
        PeriodicJob(JobPlan("expiry", nightly, each=False), expire_all(expiry)),
        PeriodicJob(JobPlan("items", nightly, each=False), figures),
        PeriodicJob(JobPlan("weekly-reports", weekly), report),
    )


def build_expiry(settings: Settings, engine: AsyncEngine) -> ExpiryStore:
    return ExpiryStore(
        engine,
        reports_seconds=settings.report_keep_seconds,
        risks_seconds=settings.risk_keep_seconds,
        runs_seconds=settings.periodic_keep_seconds,
    )


def expire_all(expiry: ExpiryStore) -> Piece:
    """Whatever has been kept for long enough, one kind after another."""
    return one_after_another(
        {
            "reports": expiry.expire_reports,
            "risks": for_each_tenant(expiry.next_tenant, expiry.expire_risks, most=DELETED_AT_ONCE),
            "runs": expiry.expire_runs,
        }
    )
