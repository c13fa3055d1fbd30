"""What tells learners and teachers how it goes: asked by the HTTP door, and worked out ahead by periodic jobs."""

from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.service.at_risk import AtRisk
from pipeline.service.careers import Careers
from pipeline.service.course import Courses
from pipeline.service.report import Reports
from pipeline.store.curriculum import CurriculumStore
from pipeline.store.group import GroupStore
from pipeline.store.learner import LearnerStore
from pipeline.store.report import ReportStore
from pipeline.store.risk import RiskStore


def build_reports(engine: AsyncEngine, store: ReportStore, curricula: CurriculumStore) -> Reports:
    return Reports(store, LearnerStore(engine), Courses(store, curricula), curricula)


def build_at_risk(engine: AsyncEngine, curricula: CurriculumStore) -> AtRisk:
    return AtRisk(RiskStore(engine), GroupStore(engine), curricula)


def build_careers(engine: AsyncEngine, curricula: CurriculumStore) -> Careers:
    return Careers(build_at_risk(engine, curricula), RiskStore(engine), curricula)
