"""The shipped content, read as an import reads it, once for the tests that look at it."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import msgspec

from pipeline.curriculum.model import NO_CURRICULUM, Category, Curriculum, Module, Project, Resource, Track
from pipeline.curriculum.shipping import SHIPPED, shipped_curriculum
from pipeline.importing.curriculum import read_curriculum
from pipeline.importing.curriculum_file import CurriculumFile
from pipeline.model import Question


@cache
def read() -> CurriculumFile:
    """What the reader makes of all files together, problems included."""
    return read_curriculum(shipped_curriculum())


@cache
def whole() -> Curriculum:
    """The curriculum of a tenant that had none; raises `InvalidInput` with all that is wrong."""
    return read().applied_to(NO_CURRICULUM)


def categories() -> Mapping[str, Category]:
    return whole().categories


def tracks() -> Mapping[str, Track]:
    return whole().tracks


def modules() -> Mapping[str, Module]:
    return whole().modules


def resources() -> Mapping[str, Resource]:
    return whole().resources


def projects() -> Mapping[str, Project]:
    return whole().projects


@cache
def questions() -> Mapping[str, Question]:
    """By id."""
    return MappingProxyType({question.id: question for question in read().questions})


def file(name: str) -> dict[str, list[dict[str, Any]]]:
    """What one file of the folder holds, as it is written."""
    document: dict[str, list[dict[str, Any]]] = msgspec.json.decode((SHIPPED / name).read_bytes())
    return document
