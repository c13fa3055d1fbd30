"""The curriculum over HTTP: what can be learnt, in which order, and what is open to a learner."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.caller import AnyRequest, allow
from api.description import JSON, NDJSON, Answer, Body, Page, described
from api.patience import Patience
from api.reading import body_bytes, query_of, query_values, require_media_type
from pipeline.errors import InvalidInput
from pipeline.service.access import Permission
from pipeline.service.curriculum import NamedInWish, PathWish
from pipeline.service.curriculum_view import (
    CategoryShown,
    Changes,
    ImportedCurriculum,
    ModuleShown,
    ModuleWithResources,
    Named,
    PathShown,
    StandingShown,
    TrackShown,
)
from pipeline.service.intake import first_problems
from pipeline.settings import Settings

TAG: Final = "Curriculum"
OK: Final = 200
NOT_FOUND: Final = 404
HOURS_PER_WEEK: Final = 10.0

LocaleTag = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9]{1,8}([-_][A-Za-z0-9]{1,8})*$", max_length=35)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Names = Annotated[str, msgspec.Meta(max_length=20_000)]

CATEGORY: Final = CategoryShown(
    "mobile_flutter", "Mobile apps with Flutter", "From Dart to an app in a store.", 6, ("dart",), (), 2, 30.0
)
TRACK: Final = TrackShown("dart", "Dart", "The language of Flutter.", False, ("dart-basics", "dart-async"), 30.0)
STANDING: Final = StandingShown(0.31, False, True, False, (Named("dart-basics", "First steps in Dart"),))
MODULE: Final = ModuleShown(
    "dart-async", "Futures and streams", "", 3, 12.0, ("dart.async",), ("dart-basics",), (), ("general",), STANDING
)
IMPORTED: Final = ImportedCurriculum(2, Changes(1), Changes(1), Changes(2), Changes(), Changes(), Changes(3))
DOCUMENT: Final = {
    "tracks": [{"id": "dart", "title": "Dart", "modules": ["dart-basics"]}],
    "modules": [{"id": "dart-basics", "title": "First steps in Dart", "difficulty": 1, "hours": 18}],
}


class LocaleQuery(msgspec.Struct, frozen=True):
    """The language of titles, where there is a translation."""

    locale: LocaleTag | None = None


class LearnerQuery(msgspec.Struct, frozen=True):
    """Whose standing to show (with a learner token, always that learner's), and the language of titles."""

    learner_id: Name | None = None
    locale: LocaleTag | None = None


class PathQuery(msgspec.Struct, frozen=True):
    """Which path. `mastered` are modules, `specialisations` tracks of the category, each separated by commas."""

    category: Name
    learner_id: Name | None = None
    hours_per_week: Annotated[float, msgspec.Meta(ge=0.5, le=168)] = HOURS_PER_WEEK
    industry: Name | None = None
    mastered: Names | None = None
    specialisations: Names | None = None
    locale: LocaleTag | None = None


class CurriculumIn(msgspec.Struct, frozen=True):
    """A file of a curriculum; every part may be left out. docs/curriculum.md has the fields of each."""

    categories: list[dict[str, Any]] = []
    tracks: list[dict[str, Any]] = []
    modules: list[dict[str, Any]] = []
    resources: list[dict[str, Any]] = []
    projects: list[dict[str, Any]] = []
    questions: list[dict[str, Any]] = []


@get(
    "/v1/curriculum/categories",
    opt=described(
        TAG,
        {200: Answer("All career paths.", Page[CategoryShown], Page([CATEGORY]))},
        permission=Permission.READ,
        query=LocaleQuery,
    ),
)
async def list_categories(request: AnyRequest) -> Response[Page[CategoryShown]]:
    """List the career paths."""
    parts, principal = await allow(request, Permission.READ)
    query = query_of(request, LocaleQuery)
    return Response(Page(await parts.curricula.categories(principal, query.locale)))


@get(
    "/v1/curriculum/categories/{category_id:str}/tracks",
    opt=described(
        TAG,
        {200: Answer("Its tracks, then its specialisations.", Page[TrackShown], Page([TRACK]))},
        permission=Permission.READ,
        query=LocaleQuery,
    ),
)
async def list_tracks(request: AnyRequest, category_id: FromPath[str]) -> Response[Page[TrackShown]]:
    """List the tracks of a career path."""
    parts, principal = await allow(request, Permission.READ)
    query = query_of(request, LocaleQuery)
    return Response(Page(await parts.curricula.tracks(principal, category_id, query.locale)))


@get(
    "/v1/curriculum/tracks/{track_id:str}/modules",
    opt=described(
        TAG,
        {200: Answer("Its modules, in their order.", Page[ModuleShown], Page([MODULE]))},
        permission=Permission.READ,
        query=LearnerQuery,
    ),
)
async def list_modules(request: AnyRequest, track_id: FromPath[str]) -> Response[Page[ModuleShown]]:
    """List the modules of a track.

    With `learner_id` (a teacher's key) or a learner token each says how far the learner has got, whether it is open,
    and which prerequisites are missing.
    """
    parts, principal = await allow(request, Permission.READ)
    query = query_of(request, LearnerQuery)
    async with Patience():
        return Response(Page(await parts.curricula.modules(principal, track_id, query.learner_id, query.locale)))


@get(
    "/v1/curriculum/modules/{module_id:str}",
    opt=described(
        TAG,
        {200: Answer("The module, what it opens and what helps with it.", ModuleWithResources)},
        permission=Permission.READ,
        query=LearnerQuery,
    ),
)
async def show_module(request: AnyRequest, module_id: FromPath[str]) -> Response[ModuleWithResources]:
    """Show a module with its resources.

    With `learner_id` (a teacher's key) or a learner token it says how far the learner has got.
    """
    parts, principal = await allow(request, Permission.READ)
    query = query_of(request, LearnerQuery)
    async with Patience():
        return Response(await parts.curricula.module(principal, module_id, query.learner_id, query.locale))


@get(
    "/v1/curriculum/recommend-path",
    opt=described(
        TAG,
        {200: Answer("What to learn, in order, and why.", PathShown)},
        permission=Permission.READ,
        query=PathQuery,
        problems=(NOT_FOUND,),
    ),
)
async def recommend_path(request: AnyRequest) -> Response[PathShown]:
    """Recommend a way through a career path.

    Modules come after their prerequisites, those of the industry and what leads to them first. What the learner
    (`learner_id`, or the one of the token) has mastered is left out, and so is what `mastered` names. Everything that
    is wrong with the wish is told at once, names that nothing has among it.
    """
    parts, principal = await allow(request, Permission.READ)
    values, problems = query_values(request, PathQuery)
    named = NamedInWish(
        values.get("category") or "", names_in(values.get("mastered")), names_in(values.get("specialisations"))
    )
    async with Patience():
        if problems:
            unknown = await parts.curricula.unknown_in(principal, named)
            raise InvalidInput(first_problems([*problems, *unknown]))
        query = PathQuery(**values)
        wish = PathWish(named, hours_per_week=query.hours_per_week, industry=query.industry)
        return Response(await parts.curricula.path(principal, wish, query.learner_id, query.locale))


@post(
    "/v1/curriculum/import",
    status_code=OK,
    opt=described(
        TAG,
        {200: Answer("What became of each kind of entry.", ImportedCurriculum, IMPORTED)},
        permission=Permission.TEACH,
        body=Body(CurriculumIn, {"a track": DOCUMENT}, also=(NDJSON,)),
    ),
)
async def import_curriculum(request: AnyRequest) -> Response[ImportedCurriculum]:
    """Import a curriculum: one JSON object, or NDJSON with an entry and its `kind` on each line.

    Entries take the places of those of the same kind and id. The whole is checked as it would be afterwards; where
    anything is wrong, nothing is imported, and every problem names the entry and the field.
    """
    parts, principal = await allow(request, Permission.TEACH)
    require_media_type(request.headers, JSON, NDJSON)
    async with Patience():  # that Postgres is there is told in time; reading and storing a large file may take longer
        await parts.curricula.categories(principal, None)
    return Response(await parts.curricula.import_file(principal.tenant_id, await body_bytes(request)))


def names_in(listed: str | None) -> tuple[str, ...]:
    """Names separated by commas, each once."""
    names = (name.strip() for name in (listed or "").split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def curriculum_handlers(settings: Settings) -> list[Any]:
    large = Router("/", route_handlers=[import_curriculum], request_max_body_size=settings.max_batch_bytes)
    return [list_categories, list_tracks, list_modules, show_module, recommend_path, large]
