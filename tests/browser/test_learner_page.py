"""The page of a learner in a real browser: entered, read, walked through by keyboard, and printed."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from litestar import Litestar, Response, get
from litestar.params import FromQuery

from api.app import create_app
from pipeline.settings import Settings
from tests.api.conftest import served
from tests.api.installation import Installation, opened, question
from tests.browser.chromium import PROGRAM, WHY_NOT, Tab, browser

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=WHY_NOT)

LEARNER = "ada <img src=x onerror=alert(1)> 🎓"
TOPICS = ("python.lists", "javascript.async_await", "데이터베이스 설계", "データ構造", '"><img src=x onerror=alert(1)>')
PHONE, DESK = (360, 740), (1280, 900)
OVERFLOWING = """
    [...document.querySelectorAll('body *')].filter(one => !one.closest('.scroll') && !one.closest('.skip')
        && !one.closest('svg') && one.getBoundingClientRect().right > innerWidth + 1).map(one => one.tagName)
"""
FOCUSED = "document.activeElement.textContent.trim()"

Seen = TypeVar("Seen")


async def worked(installation: Installation) -> str:
    """Three weeks of hand-ins in several topics; answers the learner's token."""
    teacher = installation.caller()
    ids = []
    for index, topic in enumerate(TOPICS):
        await teacher.put(f"/v1/questions/q{index}", question(f"q{index}", topics=[topic]))
    for day in range(21):
        at = (datetime.now(UTC) - timedelta(days=day, minutes=5)).isoformat()
        answers = {f"q{index}": "ab"[(day + index) % 2] for index in range(len(TOPICS))}
        ids.append(await teacher.hand_in(LEARNER, answers, submitted_at=at))
    await installation.run(ids)
    await teacher.put(f"/v1/learners/{as_path(LEARNER)}/goals", {"weekly_answers": 30, "weekly_minutes": 90})
    minted = await teacher.post(f"/v1/learners/{as_path(LEARNER)}/token")
    return str(minted.json()["token"])


def as_path(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())


async def seen(settings: Settings, folder: Path, look: Callable[[Tab, str, str], Seen]) -> Seen:
    """What a look at a running installation tells; `look` is given a browser, the address and a learner's token."""

    def visit(address: str, token: str) -> Seen:
        with browser(folder) as tab:
            return look(tab, address, token)

    async with opened(settings) as installation:
        token = await worked(installation)
        async with served(create_app(settings)) as address:
            return await asyncio.to_thread(visit, address, token)


async def test_a_learner_enters_and_reads_without_script_or_complaint(settings: Settings, tmp_path: Path) -> None:
    def look(tab: Tab, address: str, token: str) -> None:
        tab.resize(*PHONE)
        tab.ask("Emulation.setScriptExecutionDisabled", value=True)
        tab.open(f"{address}/pages/enter?token={token}&locale=ko")
        tab.ask("Emulation.setScriptExecutionDisabled", value=False)
        assert tab.complaints == []
        assert tab.run("location.pathname + location.search") == "/pages/learner?locale=ko"
        assert tab.run("document.documentElement.lang") == "ko"
        assert tab.run("document.cookie") == ""
        assert tab.run("document.title").startswith("학습 리포트")
        assert LEARNER in tab.run("document.body.innerText")
        assert tab.run("document.images.length + document.scripts.length") == 0
        assert tab.run("document.querySelectorAll('svg[role=img] > title').length") == 4
        assert tab.run("getComputedStyle(document.querySelector('.card')).borderTopWidth") == "1px"

    await seen(settings, tmp_path, look)


@pytest.mark.parametrize("dark", [False, True])
async def test_nothing_overflows_on_a_phone_or_a_desk(settings: Settings, tmp_path: Path, *, dark: bool) -> None:
    def look(tab: Tab, address: str, token: str) -> None:
        for language in ("en", "ko", "ja", "zh"):
            for width, height in (PHONE, DESK):
                tab.resize(width, height, dark=dark)
                tab.open(f"{address}/pages/enter?token={token}&locale={language}")
                assert tab.run("document.documentElement.scrollWidth") == width, (language, width)
                assert tab.run(OVERFLOWING) == [], (language, width)
                assert tab.picture().startswith(b"\x89PNG")

    await seen(settings, tmp_path, look)


async def test_the_keyboard_goes_from_the_skip_link_to_the_languages_and_on(settings: Settings, tmp_path: Path) -> None:
    def look(tab: Tab, address: str, token: str) -> None:
        tab.resize(*DESK)
        tab.open(f"{address}/pages/enter?token={token}")
        walked = []
        for _ in range(7):
            tab.press("Tab")
            walked.append(tab.run(FOCUSED))
        assert walked[:5] == ["Skip to the content", "English", "한국어", "日本語", "中文"]
        assert walked[5] == "← Week before"
        tab.open(f"{address}/pages/learner")
        tab.press("Tab")
        assert tab.run("document.activeElement.getBoundingClientRect().left") >= 0
        tab.press("Enter")
        assert tab.run("document.activeElement.id") == "content"
        tab.press("Tab")
        assert tab.run(FOCUSED) == "← Week before"

    await seen(settings, tmp_path, look)


async def test_the_page_prints_on_a_few_sheets(settings: Settings, tmp_path: Path) -> None:
    def look(tab: Tab, address: str, token: str) -> None:
        tab.open(f"{address}/pages/enter?token={token}")
        printed = tab.printed()
        assert printed.startswith(b"%PDF-")
        assert 1 <= printed.count(b"/Type /Page\n") <= 4

    await seen(settings, tmp_path, look)


@get("/", sync_to_thread=False)
def elsewhere(to: FromQuery[str]) -> Response[str]:
    """A course's own page, on another site, that leads here."""
    return Response(f'<!doctype html><meta http-equiv="refresh" content="0;url={to}">', media_type="text/html")


async def test_who_comes_from_another_site_gets_in_too(settings: Settings, tmp_path: Path) -> None:
    """Browsers keep a strict cookie back on a redirect that began on another site; ours must not end in a refusal."""
    course = Litestar(route_handlers=[elsewhere], openapi_config=None, logging_config=None)

    def visit(school: str, address: str, token: str) -> tuple[str, str]:
        with browser(tmp_path) as tab:
            target = f"{address}/pages/enter?token={token}".replace("&", "%26")
            tab.open(f"{school.replace('127.0.0.1', 'localhost')}/?to={target}")
            return tab.run("location.pathname"), tab.run("document.title")

    async with opened(settings) as installation:
        token = await worked(installation)
        async with served(create_app(settings)) as address, served(course) as school:
            path, title = await asyncio.to_thread(visit, school, address, token)
    assert path == "/pages/learner"
    assert title.startswith("Learning report")
