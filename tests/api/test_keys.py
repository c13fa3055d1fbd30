"""API keys over HTTP."""

from pipeline.service.access import Role
from tests.api.conftest import Api

NEW = {"name": "school server", "role": "submitter"}


async def test_a_new_key_works_and_its_secret_is_shown_once(api: Api) -> None:
    created = await api.call("POST", "/v1/keys", json=NEW)
    assert created.status_code == 201
    assert created.headers["Cache-Control"] == "no-store"
    secret = created.json()["secret"]
    assert (await api.call("GET", "/v1/keys", key=secret)).status_code == 403
    listed = await api.call("GET", "/v1/keys")
    assert created.json()["id"] in {key["id"] for key in listed.json()["items"]}
    assert secret not in listed.text


async def test_a_revoked_key_is_refused_at_once(api: Api) -> None:
    created = (await api.call("POST", "/v1/keys", json={**NEW, "role": "operator"})).json()
    assert (await api.call("GET", "/v1/keys", key=created["secret"])).status_code == 200
    assert (await api.call("DELETE", f"/v1/keys/{created['id']}")).status_code == 204
    assert (await api.call("GET", "/v1/keys", key=created["secret"])).status_code == 401


async def test_only_operators_touch_keys(api: Api) -> None:
    for role in (Role.SUBMITTER, Role.TEACHER):
        assert (await api.call("POST", "/v1/keys", role, json=NEW)).status_code == 403
        assert (await api.call("GET", "/v1/keys", role)).status_code == 403
    assert (await api.call("GET", "/v1/keys", None)).status_code == 401


async def test_another_tenants_key_can_be_neither_seen_nor_revoked(api: Api) -> None:
    created = (await api.call("POST", "/v1/keys", json=NEW)).json()
    seen = await api.call("GET", "/v1/keys", key=api.stranger)
    assert created["id"] not in {key["id"] for key in seen.json()["items"]}
    assert (await api.call("DELETE", f"/v1/keys/{created['id']}", key=api.stranger)).status_code == 404
    assert (await api.call("GET", "/v1/submissions", key=created["secret"])).status_code != 401


async def test_what_is_done_with_keys_is_audited(api: Api) -> None:
    created = (await api.call("POST", "/v1/keys", json=NEW)).json()
    await api.call("DELETE", f"/v1/keys/{created['id']}")
    acts = (await api.call("GET", "/v1/ops/audit")).json()["items"]
    assert [act["action"] for act in acts] == ["key.revoke", "key.create"]
    assert {act["target"]["key_id"] for act in acts} == {created["id"]}
    assert acts[0]["actor"].startswith("key:")


async def test_every_mistake_in_a_key_is_reported(api: Api) -> None:
    refused = await api.call("POST", "/v1/keys", json={"name": "", "role": "king", "colour": "red"})
    assert refused.status_code == 422
    assert {problem["pointer"] for problem in refused.json()["errors"]} == {"/name", "/role", "/colour"}


async def test_ids_of_no_key_are_not_found(api: Api) -> None:
    for key_id in ("nonsense", "019abc5e-77a1-7c3e-9d5b-2f8a61c04e11", "urn:uuid:019abc5e-77a1-7c3e-9d5b-2f8a61c04e11"):
        assert (await api.call("DELETE", f"/v1/keys/{key_id}")).status_code == 404
