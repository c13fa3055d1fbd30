"""Entering pages: a token in, a cookie out, and nothing of it anywhere else."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from pipeline.service.access import Role
from tests.api.conftest import Api

STRICT = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


async def learner_token(api: Api, learner_id: str = "u-1") -> str:
    minted = await api.call("POST", f"/v1/learners/{learner_id}/token", Role.SUBMITTER)
    return str(minted.json()["token"])


async def page_token(api: Api, **body: Any) -> httpx.Response:
    return await api.call("POST", "/v1/pages/token", Role.TEACHER, json=body)


async def entered(api: Api, token: str, headers: Mapping[str, str] | None = None, **query: str) -> httpx.Response:
    return await api.http.get("/pages/enter", params={"token": token, **query}, headers=dict(headers or {}))


def check_is_strict(answer: httpx.Response) -> None:
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "script" not in policy
    assert "frame-ancestors 'none'" in policy
    assert {name: answer.headers[name] for name in STRICT} == STRICT


async def test_a_token_becomes_a_cookie_for_pages_alone(api: Api) -> None:
    token = await learner_token(api)
    answer = await entered(api, token)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/pages/learner")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"gradeline_page={token};")
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "path=/pages", "samesite=strict"} <= parts
    [age] = [int(part.removeprefix("max-age=")) for part in parts if part.startswith("max-age=")]
    assert 890 <= age <= 900
    assert "secure" not in parts
    check_is_strict(answer)


async def test_over_https_the_cookie_stays_there(api: Api) -> None:
    token = await learner_token(api)
    behind_proxy = await entered(api, token, {"X-Forwarded-Proto": "https"})
    assert "; secure" in behind_proxy.headers["Set-Cookie"].lower()
    direct = await api.http.get("https://gradeline/pages/enter", params={"token": token})
    assert "; secure" in direct.headers["Set-Cookie"].lower()


async def test_whoever_comes_from_another_site_goes_on_by_a_page(api: Api) -> None:
    """Browsers keep strict cookies back on a redirect that began elsewhere; a page of ours begins here."""
    token = await learner_token(api)
    answer = await entered(api, token, {"Sec-Fetch-Site": "cross-site"}, locale="ko")
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0;url=/pages/learner?locale=ko">' in answer.text
    assert answer.headers["Set-Cookie"].startswith("gradeline_page=")
    assert token not in answer.text
    assert 'lang="ko"' in answer.text
    check_is_strict(answer)


async def test_language_and_time_zone_go_along_and_nothing_else_does(api: Api) -> None:
    token = await learner_token(api)
    answer = await entered(api, token, to="learner", locale="ja", timezone="Asia/Tokyo")
    assert answer.headers["Location"] == "/pages/learner?locale=ja&timezone=Asia%2FTokyo"
    odd = await entered(api, token, locale="x&to=//evil.example\r\nX: y")
    assert odd.headers["Location"] == "/pages/learner?locale=x%26to%3D%2F%2Fevil.example%0D%0AX%3A+y"
    assert (await entered(api, token, week="2026-W01")).status_code == 422


async def test_what_is_wrong_with_an_address_is_told_with_its_name(api: Api) -> None:
    answer = await api.http.get("/pages/enter", params={"tokn": "x"})
    assert answer.status_code == 422
    assert "<code>token</code>: This query parameter is required." in answer.text
    assert "<code>tokn</code>: There is no such query parameter." in answer.text


async def test_a_page_that_there_is_not_is_told_of_as_a_page(api: Api) -> None:
    answer = await api.http.get("/pages/teachers/of?x=<b>", headers={"Accept-Language": "ko"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert 'lang="ko"' in answer.text
    check_is_strict(answer)


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example", "/v1/keys", "learner/../../x", ""])
async def test_entering_leads_to_our_pages_only(api: Api, place: str) -> None:
    answer = await entered(api, await learner_token(api), to=place)
    assert answer.status_code == 422
    assert "Location" not in answer.headers
    assert "Set-Cookie" not in answer.headers


async def test_what_is_no_token_of_a_browser_enters_nothing(api: Api) -> None:
    """Not even a good API key: it would stand in histories."""
    for credential in ("", "nonsense", "a.b.c", api.keys[Role.TEACHER]):
        answer = await entered(api, credential)
        assert (answer.status_code, "Set-Cookie" in answer.headers) == (401, False)
        assert answer.headers["Content-Type"].startswith("text/html")
        check_is_strict(answer)


async def test_a_refusal_is_a_page_in_the_visitors_language(api: Api) -> None:
    korean = await entered(api, "a.b.c", {"Accept-Language": "ko-KR,ko;q=0.9"})
    assert '<html lang="ko">' in korean.text
    assert "링크가 만료되었거나" in korean.text
    assert korean.headers["Content-Language"] == "ko"
    english = await entered(api, "a.b.c")
    assert "has expired or is not valid" in english.text


async def test_a_page_token_is_a_teachers_and_short_lived(api: Api) -> None:
    minted = await page_token(api)
    assert minted.status_code == 201
    assert minted.headers["Cache-Control"] == "no-store"
    longest = api.parts.settings.learner_token_seconds
    refused = await page_token(api, expires_in=longest + 1)
    assert refused.json()["errors"][0]["pointer"] == "/expires_in"
    assert (await page_token(api, expires_in=longest)).status_code == 201


async def test_a_page_token_opens_no_learners_page_and_no_call(api: Api) -> None:
    token = str((await page_token(api)).json()["token"])
    await api.save_question()
    await api.hand_in()
    assert (await entered(api, token, to="learner")).status_code == 403
    for path in ("/v1/learners/u-1/skills", "/v1/submissions", "/v1/questions", "/v1/keys"):
        assert (await api.call("GET", path, key=token)).status_code == 403
    assert (await api.http.get("/v1/submissions", params={"access_token": token})).status_code == 401


async def test_a_page_token_settles_only_where_that_was_asked_for(api: Api) -> None:
    """And for as long as any token may be, because essays take longer to read than figures."""
    minted = (await page_token(api, settle=True)).json()
    left = api.parts.access.seconds_left(minted["token"])
    assert left > api.parts.settings.learner_token_seconds - 60
    plain = str((await page_token(api)).json()["token"])
    assert (await entered(api, minted["token"])).headers["Location"] == "/pages/teacher/review"
    assert (await entered(api, plain, to="review")).status_code == 403
    missing = "/v1/submissions/00000000-0000-0000-0000-000000000000/answers/q"
    assert (await api.call("GET", missing, key=minted["token"])).status_code == 404
    assert (await api.call("GET", missing, key=plain)).status_code == 403
    for path in ("/v1/submissions", "/v1/questions", "/v1/learners/u-1/skills", "/v1/keys"):
        assert (await api.call("GET", path, key=minted["token"])).status_code == 403


async def test_a_learner_token_of_another_tenant_is_told_apart(api: Api) -> None:
    """Both tenants sign with secrets of their own."""
    stranger = await api.parts.access.authenticate(f"Bearer {api.stranger}")
    theirs = (await api.parts.access.mint_token(stranger, "u-1", 60)).token
    principal = await api.parts.access.authenticate_browser(theirs)
    assert principal.tenant_id == stranger.tenant_id


async def revoke(api: Api, role: Role) -> None:
    """Revoke the key of a role, as an operator does."""
    listed = (await api.call("GET", "/v1/keys")).json()["items"]
    [key_id] = [one["id"] for one in listed if one["name"] == role]
    assert (await api.call("DELETE", f"/v1/keys/{key_id}")).status_code == 204


async def test_a_token_dies_with_the_key_that_made_it(api: Api) -> None:
    """At once, at every door; tokens of other keys live on."""
    await api.save_question()
    await api.hand_in()
    learners, teachers = await learner_token(api), str((await page_token(api)).json()["token"])
    assert (await shown(api, learners)).status_code == 200
    await revoke(api, Role.SUBMITTER)
    assert (await entered(api, learners)).status_code == 401
    assert (await shown(api, learners)).status_code == 401
    assert (await api.call("GET", "/v1/submissions", key=learners)).status_code == 401
    assert (await api.http.get("/v1/submissions", params={"access_token": learners})).status_code == 401
    assert (await entered(api, teachers)).status_code == 303
    await revoke(api, Role.TEACHER)
    assert (await entered(api, teachers)).status_code == 401
    cookie = {"Cookie": f"gradeline_page={teachers}"}
    assert (await api.http.get("/pages/teacher", headers=cookie)).status_code == 401


async def test_a_learners_token_dies_with_the_learners_erasure(api: Api) -> None:
    """Whoever comes under the same id afterwards is somebody new; the tokens of others live on."""
    await api.save_question()
    await api.hand_in()
    before, other = await learner_token(api), await learner_token(api, "u-2")
    assert (await api.call("DELETE", "/v1/learners/u-1", Role.TEACHER)).status_code == 204
    await api.hand_in()
    after = await learner_token(api)
    assert (await shown(api, before)).status_code == 401
    assert (await api.call("GET", "/v1/submissions", key=before)).status_code == 401
    assert (await shown(api, after)).status_code == 200
    assert (await entered(api, other)).status_code == 303


async def shown(api: Api, token: str | None, query: str = "", **headers: str) -> httpx.Response:
    cookie = {} if token is None else {"Cookie": f"gradeline_page={token}"}
    return await api.http.get(f"/pages/learner{query}", headers=cookie | headers)


async def test_a_learners_page_is_shown_to_its_learner_only(api: Api) -> None:
    await api.save_question()
    await api.hand_in()
    own = await shown(api, await learner_token(api))
    assert (own.status_code, own.headers["Content-Language"]) == (200, "en")
    assert "<bdi>u-1</bdi>" in own.text
    check_is_strict(own)
    assert (await shown(api, await learner_token(api, "u-2"))).status_code == 404
    stranger = await api.parts.access.authenticate(f"Bearer {api.stranger}")
    theirs = (await api.parts.access.mint_token(stranger, "u-1", 60)).token
    assert (await shown(api, theirs)).status_code == 404


async def test_a_page_needs_its_cookie_and_takes_nothing_else(api: Api) -> None:
    """Neither a key nor a token in a header opens it, nor one in the address: no other site can have it opened."""
    await api.save_question()
    await api.hand_in()
    token = await learner_token(api)
    for credential in (None, "", "a.b.c", api.keys[Role.TEACHER], token[:-2]):
        assert (await shown(api, credential)).status_code == 401
    assert (await shown(api, None, Authorization=f"Bearer {token}")).status_code == 401
    assert (await shown(api, None, f"?token={token}")).status_code == 401
    assert (await shown(api, str((await page_token(api)).json()["token"]))).status_code == 403


async def test_a_page_speaks_the_language_that_is_wanted(api: Api) -> None:
    await api.save_question()
    await api.hand_in()
    token = await learner_token(api)
    chosen = await shown(api, token, "?locale=zh-TW", **{"Accept-Language": "ko"})
    accepted = await shown(api, token, **{"Accept-Language": "fr, ja;q=0.5"})
    assert '<html lang="zh">' in chosen.text
    assert '<html lang="ja">' in accepted.text


@pytest.mark.parametrize("query", ["?week=2026-W99", "?timezone=Mars/Base", "?week=2999-W01", "?nonsense=1"])
async def test_a_page_with_a_mistake_in_its_address_says_so(api: Api, query: str) -> None:
    await api.save_question()
    await api.hand_in()
    answer = await shown(api, await learner_token(api), query)
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (422, "text/html")
    check_is_strict(answer)
