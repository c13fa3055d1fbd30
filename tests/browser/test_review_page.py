"""The pages on which teachers settle, in a real browser: by keyboard, without script, and safe from other sites."""

import asyncio
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

import pytest
from litestar import Litestar, Response, get
from litestar.params import FromQuery

from api.app import create_app
from pipeline.lifecycle import Stage
from pipeline.settings import Settings
from tests.api.conftest import served
from tests.api.installation import Installation, opened
from tests.api.test_review_pages import ANSWER, BANK, ESSAY, LIST, answer_at
from tests.browser.chromium import PROGRAM, WHY_NOT, Tab, browser
from tests.browser.test_learner_page import DESK, FOCUSED, OVERFLOWING, PHONE

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=WHY_NOT)

WRITTEN = (
    "\n  def f():\n\treturn '<script>alert(1)</script>'\n\n"
    "هذا جواب من اليمين (1) إلى اليسار.\n\u202eturned\u202c 함수는 이름을 붙입니다. 関数。\n"
    "</div></textarea><img src=x onerror=alert(1)>\n" + "word " * 3_200 + "x" * 200
)
WORDS = "document.body.innerText"
SHOWN = "document.querySelectorAll('.written')[1]"

Seen = TypeVar("Seen")


async def worked(installation: Installation) -> tuple[str, str]:
    """An essay and an unsure answer; answers the submission's id and a token that settles."""
    teacher = installation.caller()
    await teacher.post("/v1/questions/import", BANK)
    learner = "ada <img src=x onerror=alert(1)> 🎓" + "م" * 60
    id_ = await teacher.hand_in(learner, {ESSAY: WRITTEN, "close": "it finds the matching rows"}, assignment_id="hw-1")
    await installation.run([id_], [Stage.SCORE])
    return id_, str((await teacher.post("/v1/pages/token", {"settle": True})).json()["token"])


async def seen(settings: Settings, folder: Path, look: Callable[[Tab, str, str, str], Seen]) -> Seen:
    """What a look tells; it is given a browser, the address, a token and the submission's id."""

    def come(address: str, token: str, id_: str) -> Seen:
        with browser(folder) as tab:
            return look(tab, address, token, id_)

    async with opened(settings) as installation:
        id_, token = await worked(installation)
        async with served(create_app(settings)) as address:
            return await asyncio.to_thread(come, address, token, id_)


def visit(tab: Tab, address: str) -> None:
    """Open a page that is no refusal."""
    tab.open(address)
    assert tab.run("performance.getEntriesByType('navigation')[0].responseStatus") == 200, tab.run(WORDS)


def submit(tab: Tab) -> None:
    """Send the form by the keyboard, from its first field."""
    tab.run("document.getElementById('points').focus()")
    tab.events.clear()
    tab.press("Enter")
    tab.settle()


def type_in(tab: Tab, field: str, text: str) -> None:
    tab.run(f"document.getElementById('{field}').select()")
    tab.ask("Input.insertText", text=text)


async def test_an_answer_is_settled_by_keyboard_without_script_or_complaint(settings: Settings, tmp_path: Path) -> None:
    def look(tab: Tab, address: str, token: str, id_: str) -> None:
        tab.ask("Emulation.setScriptExecutionDisabled", value=True)
        visit(tab, f"{address}/pages/enter?token={token}&locale=en")
        assert tab.run("location.pathname") == LIST
        tab.run("document.querySelector('tbody a').focus()")
        tab.events.clear()
        tab.press("Enter")
        tab.settle()
        assert tab.run("location.pathname") == ANSWER
        assert tab.complaints == []
        assert tab.run(f"{SHOWN}.textContent") == WRITTEN
        assert tab.run("document.images.length + document.scripts.length") == 0
        type_in(tab, "points", "3,5")
        tab.press("Tab")
        assert tab.run("document.activeElement.id") == "comment"
        tab.ask("Input.insertText", text="Clear.\nGo on.")
        tab.press("Tab")
        assert tab.run(FOCUSED) == "Settle"
        submit(tab)
        assert tab.complaints == []
        assert tab.run("location.pathname + location.search") == f"{LIST}?decided=true&locale=en"
        assert tab.run("document.querySelector('[role=status]').innerText").endswith("The decision is kept.")
        visit(tab, f"{address}{answer_at(id_)}")
        assert "3.5 of 5" in tab.run(WORDS)

    await seen(settings, tmp_path, look)


async def test_whitespace_is_kept_and_no_text_turns_what_stands_beside_it(settings: Settings, tmp_path: Path) -> None:
    """A learner's override of the direction ends with the paragraph, and each paragraph goes its own way."""

    def look(tab: Tab, address: str, token: str, id_: str) -> None:
        visit(tab, f"{address}/pages/enter?token={token}&locale=en")
        visit(tab, f"{address}{answer_at(id_)}")
        assert tab.run(f"getComputedStyle({SHOWN}).whiteSpace") == "pre-wrap"
        assert tab.run(f"getComputedStyle({SHOWN}).unicodeBidi") == "plaintext"
        assert tab.run("getComputedStyle(document.getElementById('decide')).direction") == "ltr"
        lines = tab.run(f"{SHOWN}.innerText.split('\\n').length")
        assert lines == WRITTEN.count("\n") + 1

    await seen(settings, tmp_path, look)


@pytest.mark.parametrize("dark", [False, True])
async def test_nothing_overflows_on_a_phone_or_a_desk(settings: Settings, tmp_path: Path, *, dark: bool) -> None:
    def look(tab: Tab, address: str, token: str, id_: str) -> None:
        visit(tab, f"{address}/pages/enter?token={token}")
        for language in ("en", "ko", "ja", "zh"):
            for width, height in (PHONE, DESK):
                tab.resize(width, height, dark=dark)
                for path in (f"{LIST}?decided=true&locale={language}", answer_at(id_, ESSAY, language)):
                    visit(tab, address + path)
                    assert tab.run("document.documentElement.scrollWidth") == width, (language, width)
                    assert tab.run(OVERFLOWING) == [], (language, width)
                type_in(tab, "points", "seven")
                submit(tab)
                assert tab.run("document.querySelectorAll('[aria-invalid=true]').length") == 1
                assert tab.run("document.getElementById('points').value") == "seven"
                assert tab.run("getComputedStyle(document.getElementById('points')).borderTopWidth") == "2px"
                assert tab.run(OVERFLOWING) == [], (language, width)

    await seen(settings, tmp_path, look)


async def test_every_field_has_its_label_and_is_described_by_what_is_there(settings: Settings, tmp_path: Path) -> None:
    named = "[...document.querySelectorAll('input:not([type=hidden]), textarea')].every(one => one.labels.length === 1)"
    described = """
        [...document.querySelectorAll('[aria-describedby]')].every(one =>
            one.getAttribute('aria-describedby').split(' ').every(id => document.getElementById(id)))
    """

    def look(tab: Tab, address: str, token: str, id_: str) -> None:
        visit(tab, f"{address}/pages/enter?token={token}&locale=en")
        visit(tab, f"{address}{answer_at(id_)}")
        for points in ("", "six"):
            if points:
                type_in(tab, "points", points)
                submit(tab)
            assert tab.run(named) is True
            assert tab.run(described) is True
        assert tab.run("document.querySelector('[role=alert] a').hash") == "#points"

    await seen(settings, tmp_path, look)


@get("/", sync_to_thread=False)
def elsewhere(to: FromQuery[str], token: FromQuery[str]) -> Response[str]:
    """A page of somebody else with a form that looks harmless."""
    fields = {"points": "5", "comment": "", "seen": "", "token": token}
    inputs = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in fields.items())
    form = f'<form method="post" action="{escape(to)}">{inputs}<button id="points">Win</button></form>'
    return Response(f"<!doctype html>{form}", media_type="text/html")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_form_on_another_page_settles_nothing(settings: Settings, tmp_path: Path, host: str) -> None:
    """Neither on another port of the same host, whose requests carry the cookie, nor on another site.

    Even where it knows the token of our form.
    """
    stranger = Litestar(route_handlers=[elsewhere], openapi_config=None, logging_config=None)

    def come(theirs: str, address: str, token: str, id_: str) -> str:
        with browser(tmp_path) as tab:
            visit(tab, f"{address}/pages/enter?token={token}&locale=en")
            visit(tab, f"{address}{answer_at(id_)}")
            stolen = tab.run("document.querySelector('[name=token]').value")
            query = urlencode({"to": address + answer_at(id_), "token": stolen})
            tab.open(f"{theirs.replace('127.0.0.1', host)}/?{query}")
            submit(tab)
            return str(tab.run(WORDS))

    async with opened(settings) as installation:
        id_, token = await worked(installation)
        async with served(create_app(settings)) as address, served(stranger) as theirs:
            told = await asyncio.to_thread(come, theirs, address, token, id_)
        score = (await installation.caller().get(f"/v1/submissions/{id_}")).json()["score"]
    assert told.startswith("Skip to the content")
    assert "This page cannot be shown" in told
    assert score["provisional"] is True
    assert "settled" not in score["answers"][0]
