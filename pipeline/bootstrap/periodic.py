"""Which periodic jobs there are, when they come and what they do. A job is added here, by one line."""

from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.ports.periodic import JobPlan
from pipeline.service.periodic import PeriodicJob, for_each_tenant, one_after_another
from pipeline.settings import Settings
from pipeline.store.expiry import DELETED_AT_ONCE, ExpiryStore


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
    return (PeriodicJob(JobPlan("expiry", nightly, each=False), expire),)
