"""The teacher's pages: who may look, what they show, and that nothing of it is taken for markup."""

from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.service.access import Role
from pipeline.store.item import ItemStore
from tests.api.installation import Caller, Installation
from tests.api.routes import TEACHER_PAGES
from tests.api.test_analytics import school, today
from tests.api.test_pages import check_is_strict
from tests.schoolroom import Day, aim, choice_question, live_through, made_up_tries, seat

HOSTILE = '<script>alert("x")</script>&'
PATHS = sorted(path.replace("{question_id}", "q003") for _, path in TEACHER_PAGES)


class Structure(HTMLParser):
    """Whether every element is closed where it should be, the ids that there are, and which of them are named."""

    EMPTY = frozenset({"meta", "link", "br", "wbr", "input"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.named: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.named |= set(given.get("aria-labelledby", "").split())
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        """`<rect/>`."""

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


async def browser(caller: Caller) -> dict[str, str]:
    """The cookie of a teacher's browser that entered."""
    token = (await caller.post("/v1/pages/token")).json()["token"]
    entered = await caller.get(f"/pages/enter?token={token}&to=teacher&locale=ko")
    assert (entered.status_code, entered.headers["location"]) == (303, "/pages/teacher?locale=ko")
    return {"Cookie": f"gradeline_page={token}"}


async def looked(installation: Installation, path: str, tenant: str = "school") -> httpx.Response:
    cookie = await browser(installation.caller(tenant=tenant))
    return await installation.bearer(None).call("GET", path, **cookie)


async def furnish(installation: Installation, engine: AsyncEngine) -> date:
    """A class with one wrong key, one learner who does well, and one of a hostile name who fell behind on that day."""
    tenant_id = await school(engine)
    questions = [choice_question(n, key="c" if n == 3 else "a", prompt=f"{HOSTILE} {n}") for n in range(12)]
    tries = made_up_tries(questions, {one.id: "a" for one in questions}, learners=120, each=10, seed=4)
    await seat(engine, tenant_id, questions, tries)
    await ItemStore(engine).analyse_next(tenant_id, "", 1000)
    left = today() - timedelta(days=9)
    await live_through(engine, tenant_id, [Day(HOSTILE, left, 10, 3), Day("ada", today(), 10, 9)])
    await aim(engine, tenant_id, {HOSTILE: HOSTILE, "ada": "saas_development"})
    teacher = installation.caller()
    await teacher.put("/v1/groups/g", {"name": HOSTILE})
    await teacher.put("/v1/groups/g/members", {"learner_ids": [HOSTILE, "ada"]})
    return left


@pytest.mark.parametrize("locale", ["en", "ko", "ja", "zh"])
async def test_every_page_is_sound_in_every_language(
    installation: Installation, engine: AsyncEngine, locale: str
) -> None:
    """Closed elements, ids once each, labels that lead somewhere, and what people wrote shown as they wrote it."""
    await furnish(installation, engine)
    for path in (*PATHS, "/pages/teacher?all=true&group=g", "/pages/teacher/careers?group=g"):
        answer = await looked(installation, f"{path}{'&' if '?' in path else '?'}locale={locale}")
        assert (answer.status_code, answer.headers["content-language"]) == (200, locale), answer.text
        check_is_strict(answer)
        structure = Structure(answer.text)
        assert (structure.wrong, structure.open) == ([], []), path
        assert len(structure.ids) == len(set(structure.ids)), path
        assert structure.named <= set(structure.ids), path
        assert "<script" not in answer.text


async def test_the_risk_page_names_who_is_behind_and_why(installation: Installation, engine: AsyncEngine) -> None:
    left = await furnish(installation, engine)
    page = (await looked(installation, "/pages/teacher?group=g&locale=en")).text
    assert "&lt;script&gt;" in page
    assert "30 % right" in page
    assert any(f"{away} days away" in page for away in (9, (today() - left).days))
    assert "Get in touch" in page
    assert "<bdi>ada</bdi>" not in page
    everybody = (await looked(installation, "/pages/teacher?group=g&all=true&locale=en")).text
    assert "<bdi>ada</bdi>" in everybody


async def test_the_questions_page_points_at_the_wrong_key(installation: Installation, engine: AsyncEngine) -> None:
    await furnish(installation, engine)
    flagged = (await looked(installation, "/pages/teacher/items?flag=suspect_key&locale=en")).text
    assert "/pages/teacher/items/q003?locale=en" in flagged
    assert "/pages/teacher/items/q004?locale=en" not in flagged
    one = (await looked(installation, "/pages/teacher/items/q003?locale=en")).text
    assert "Check the key" in one
    assert "option c" in one


async def test_a_question_shows_its_options_in_one_picture_and_one_table(
    installation: Installation, engine: AsyncEngine
) -> None:
    await furnish(installation, engine)
    page = (await looked(installation, "/pages/teacher/items/q003?locale=en")).text
    assert (page.count("<svg"), page.count("<table>")) == (1, 1)
    assert 'class="none"' not in page


async def test_why_there_is_no_figure_does_not_look_like_one(installation: Installation) -> None:
    await installation.caller().put("/v1/questions/z-new", {"type": "essay", "prompt": "Why?", "answer": {}})
    page = (await looked(installation, "/pages/teacher/items/z-new?locale=en")).text
    assert "<dd>0</dd>" in page
    assert page.count('<dd class="none">') == 4


async def test_a_question_that_no_night_has_seen_says_so_once(installation: Installation, engine: AsyncEngine) -> None:
    await furnish(installation, engine)
    await installation.caller().put("/v1/questions/z-new", {"type": "essay", "prompt": "Why?", "answer": {}})
    page = (await looked(installation, "/pages/teacher/items?locale=en")).text
    row = page.partition("/pages/teacher/items/z-new?locale=en")[2].partition("</tr>")[0]
    assert row.count("not analysed yet") == 1
    assert row.count("–") == 3


async def test_a_page_is_a_table_to_save_as_well(installation: Installation, engine: AsyncEngine) -> None:
    await furnish(installation, engine)
    for path in PATHS[:3]:
        answer = await looked(installation, f"{path}?format=csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8", path
        assert answer.content.startswith(b"\xef\xbb\xbf")


async def test_the_pages_are_for_a_teachers_browser_alone(installation: Installation) -> None:
    token = (await installation.caller(Role.SUBMITTER).post("/v1/learners/ada/token")).json()["token"]
    nobody = installation.bearer(None)
    for path in PATHS:
        assert (await nobody.get(path)).status_code == 401
        assert (await nobody.call("GET", path, Cookie=f"gradeline_page={token}")).status_code == 403
        assert (await installation.caller().get(path)).status_code == 401, "a key is no cookie"


async def test_another_tenants_pages_show_nothing_of_the_school(
    installation: Installation, engine: AsyncEngine
) -> None:
    await furnish(installation, engine)
    for path in PATHS[:3]:
        page = (await looked(installation, path, "academy")).text
        assert "q003" not in page
        assert "alert" not in page
    for path in ("/pages/teacher/items/q003", "/pages/teacher?group=g", "/pages/teacher/careers?group=g"):
        assert (await looked(installation, path, "academy")).status_code == 404


async def test_pages_of_nothing_say_so(installation: Installation) -> None:
    assert "Nobody here is at risk." in (await looked(installation, "/pages/teacher?locale=en")).text
    assert "No question fits." in (await looked(installation, "/pages/teacher/items?locale=en")).text
    assert (await looked(installation, "/pages/teacher/careers?locale=en")).status_code == 200
    assert (await looked(installation, "/pages/teacher/items?sort=luck")).status_code == 422
