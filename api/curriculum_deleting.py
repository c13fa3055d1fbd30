"""Deleting entries of the curriculum over HTTP, one call for each kind."""

from typing import Any, Final

from litestar import delete
from litestar.params import FromPath

from api.caller import AnyRequest, allow
from api.curriculum import TAG
from api.description import Answer, described
from api.patience import Patience
from pipeline.curriculum.entry import Kind
from pipeline.service.access import Permission

CONFLICT: Final = 409
DELETING: Final = described(
    TAG,
    {204: Answer("It is deleted, and the audit log says by whom.")},
    permission=Permission.TEACH,
    problems=(CONFLICT,),
)


@delete("/v1/curriculum/categories/{category_id:str}", opt=DELETING)
async def delete_category(request: AnyRequest, category_id: FromPath[str]) -> None:
    """Delete a career path.

    Refused while a project is for it or a learner has it as the target among the goals; the refusal names them.
    Its tracks stay.
    """
    await delete_entry(request, Kind.CATEGORY, category_id)


@delete("/v1/curriculum/tracks/{track_id:str}", opt=DELETING)
async def delete_track(request: AnyRequest, track_id: FromPath[str]) -> None:
    """Delete a track.

    Refused while a career path has it; the refusal names them. Its modules stay.
    """
    await delete_entry(request, Kind.TRACK, track_id)


@delete("/v1/curriculum/modules/{module_id:str}", opt=DELETING)
async def delete_module(request: AnyRequest, module_id: FromPath[str]) -> None:
    """Delete a module.

    Refused while a track has it, another module builds on it or a resource was chosen for it; the refusal names them.
    Questions that name it stay as they are.
    """
    await delete_entry(request, Kind.MODULE, module_id)


@delete("/v1/curriculum/resources/{resource_id:str}", opt=DELETING)
async def delete_resource(request: AnyRequest, resource_id: FromPath[str]) -> None:
    """Delete a resource.

    Advice that was given before still shows it.
    """
    await delete_entry(request, Kind.RESOURCE, resource_id)


@delete("/v1/curriculum/projects/{project_id:str}", opt=DELETING)
async def delete_project(request: AnyRequest, project_id: FromPath[str]) -> None:
    """Delete a project.

    Advice that was given before still shows it.
    """
    await delete_entry(request, Kind.PROJECT, project_id)


async def delete_entry(request: AnyRequest, kind: Kind, entry_id: str) -> None:
    parts, principal = await allow(request, Permission.TEACH)
    async with Patience():
        await parts.curricula.delete(principal, kind, entry_id)


def curriculum_deleting_handlers() -> list[Any]:
    return [delete_category, delete_track, delete_module, delete_resource, delete_project]
