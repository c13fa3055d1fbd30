"""The pages on which teachers settle: who may, what is shown as it was written, and that no form overwrites another."""

import html
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from pipeline.lifecycle import Stage
from pipeline.service.access import Role
from tests.api.installation import Installation
from tests.api.test_pages import check_is_strict
from tests.api.test_teacher_pages import Structure

LIST, ANSWER = "/pages/teacher/review", "/pages/teacher/review/answer"
FORM = "application/x-www-form-urlencoded"
NASTY = '\n  <b>bold</b> & "quoted"\n\ttabbed\u202e right to left\n</textarea><script>alert(1)</script>' + "x" * 16_000
LEARNER = "ada <img src=x onerror=alert(1)>"
ESSAY = "why?/<essay>&"
"""An id that no path of the API can hold; a page takes it in its query."""

BANK = [
    {
        "id": ESSAY,
        "type": "essay",
        "prompt": "<i>Why?</i>\n  Say so.",
        "answer": {"reference": "<u>Because.</u>", "rubric": [{"id": "r", "description": "A <reason>", "points": 2}]},
        "points": 5,
    },
    {
        "id": "close",
        "type": "short_text",
        "prompt": "Why does an index make a query on a large table faster?",
        "answer": {
            "accepted": ["It lets the database find the matching rows without reading the whole table"],
            "match": "similar",
        },
        "points": 2,
    },
    {"id": "sure", "type": "true_false", "prompt": "Is it?", "answer": {"value": True}},
]
ANSWERS = {ESSAY: NASTY, "close": "it finds the matching rows", "sure": True}


class Fields(HTMLParser):
    """The fields of a page's form as a browser would send them, and where."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self.action = ""
        self._area: str | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        if tag == "form":
            self.action = given["action"]
        if tag == "input":
            self.sent[given["name"]] = given["value"]
        if tag == "textarea":
            self._area = given["name"]
            self.sent[given["name"]] = ""

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.sent[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area is not None:
            self.sent[self._area] = self.sent[self._area].removeprefix("\n")
            self._area = None


class Browser:
    """A teacher's browser that entered."""

    def __init__(self, installation: Installation, token: str) -> None:
        self._caller = installation.bearer(None)
        self.token = token

    async def get(self, path: str) -> httpx.Response:
        return await self._caller.call("GET", path, Cookie=f"gradeline_page={self.token}")

    async def send(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        sent = {"Cookie": f"gradeline_page={self.token}", "Content-Type": FORM, **headers}
        return await self._caller.call("POST", path, urlencode(fields).encode(), **sent)


async def entered(installation: Installation, tenant: str = "school", *, settle: bool = True) -> Browser:
    minted = await installation.caller(tenant=tenant).post("/v1/pages/token", {"settle": settle})
    return Browser(installation, minted.json()["token"])


async def furnish(installation: Installation, stages: tuple[Stage, ...] = tuple(Stage)) -> str:
    """A bank, and a hand-in of a learner of a hostile name."""
    teacher = installation.caller()
    assert (await teacher.post("/v1/questions/import", BANK)).status_code == 200
    id_ = await teacher.hand_in(LEARNER, ANSWERS, assignment_id="hw <1>")
    await installation.run([id_], stages)
    return id_


def answer_at(submission_id: str, question_id: str = ESSAY, locale: str = "en") -> str:
    return f"{ANSWER}?{urlencode({'submission': submission_id, 'question': question_id, 'locale': locale})}"


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", page))


async def score_of(installation: Installation, submission_id: str, place: int = 0) -> Any:
    shown = (await installation.caller().get(f"/v1/submissions/{submission_id}")).json()
    return shown["score"]["answers"][place]


@pytest.mark.parametrize("locale", ["en", "ko", "ja", "zh"])
async def test_every_page_is_sound_in_every_language(installation: Installation, locale: str) -> None:
    """Whatever learners wrote is shown as they wrote it, and markup in it is none."""
    id_, browser = await furnish(installation), await entered(installation)
    paths = [f"{LIST}?locale={locale}", f"{LIST}?decided=true&assignment_id=hw+%3C1%3E&locale={locale}"]
    paths += [answer_at(id_, question, locale) for question in (ESSAY, "close", "sure")]
    pages = [await browser.get(path) for path in paths]
    fields = Fields(pages[2].text)
    wrong = {**fields.sent, "points": "none", "comment": "</textarea><script>" + "x" * 4_000}
    pages.append(await browser.send(fields.action, wrong))
    for answer in pages:
        assert answer.headers["content-language"] == locale, answer.text
        check_is_strict(answer)
        structure = Structure(answer.text)
        assert (structure.wrong, structure.open) == ([], [])
        assert len(structure.ids) == len(set(structure.ids))
        assert structure.named <= set(structure.ids)
        assert not re.search(r"<(script|img|b|i|u)\b", answer.text)
    assert [answer.status_code for answer in pages] == [200] * 5 + [422]
    assert NASTY in text_of(pages[2].text)


async def test_forms_go_to_us_and_other_pages_have_none(installation: Installation) -> None:
    id_, browser = await furnish(installation), await entered(installation)
    assert "form-action 'self'" in (await browser.get(answer_at(id_))).headers["content-security-policy"]
    assert "form-action 'none'" in (await browser.get(LIST)).headers["content-security-policy"]


async def test_what_waits_is_listed_and_leads_to_its_answer(installation: Installation) -> None:
    id_, browser = await furnish(installation), await entered(installation)
    page = (await browser.get(f"{LIST}?locale=en")).text
    assert html.escape(answer_at(id_)) in page
    assert page.count("<tr>") == 3
    assert "1.7419" not in text_of(page)
    assert "0.8709" in text_of(page)
    none = (await browser.get(f"{LIST}?locale=en&learner_id=nobody")).text
    assert "Nothing waits for review." in none


async def test_a_long_list_comes_in_parts(installation: Installation) -> None:
    await furnish(installation)
    teacher = installation.caller()
    ids = [await teacher.hand_in(f"u-{n}", {"close": ANSWERS["close"]}) for n in range(50)]
    await installation.run(ids, [Stage.SCORE])
    browser = await entered(installation)
    first = (await browser.get(f"{LIST}?locale=en")).text
    assert answer_at(ids[-2], "close").split("&")[0] in html.unescape(first)
    [onward] = re.findall(r'href="([^"]*cursor=[^"]*)"', first)
    second = html.unescape((await browser.get(html.unescape(onward))).text)
    assert (answer_at(ids[-1], "close") in second, answer_at(ids[-2], "close") in second) == (True, False)


async def test_an_answer_is_shown_with_what_a_decision_goes_by(installation: Installation) -> None:
    id_, browser = await furnish(installation), await entered(installation)
    essay = text_of((await browser.get(answer_at(id_))).text)
    for shown in (LEARNER, "hw <1>", "<i>Why?</i>\n  Say so.", "<u>Because.</u>", "2: A <reason>", "none"):
        assert shown in essay
    close = text_of((await browser.get(answer_at(id_, "close"))).text)
    assert "0.8709 of 2" in close
    assert BANK[1]["answer"]["accepted"][0] in close  # type: ignore[index] # JSON


async def test_a_form_settles_and_leads_back_to_what_waits(installation: Installation) -> None:
    id_, browser = await furnish(installation), await entered(installation)
    fields = Fields((await browser.get(answer_at(id_))).text)
    sent = await browser.send(fields.action, {**fields.sent, "points": " 3,5 ", "comment": "Good.\r\nGo on."})
    assert (sent.status_code, sent.headers["location"]) == (303, f"{LIST}?decided=true&locale=en")
    assert "The decision is kept." in (await browser.get(sent.headers["location"])).text
    score = await score_of(installation, id_)
    assert (score["points"], score["settled"]["comment"]) == (3.5, "Good.\nGo on.")
    assert score["settled"]["by"].startswith("page:key:")
    again = Fields((await browser.get(answer_at(id_))).text).sent
    assert (again["points"], again["comment"], again["seen"] != "") == ("3.5", "Good.\nGo on.", True)
    twice = await browser.send(fields.action, {**fields.sent, "points": "3.5", "comment": "Good.\nGo on."})
    assert twice.status_code == 303
    assert await score_of(installation, id_) == score


@pytest.mark.parametrize(
    ("points", "comment", "said"),
    [
        ("", "Kept.", "How many points is it worth?"),
        ("three", "Kept.", "That is not a number."),
        ("nan", "Kept.", "That is not a number."),
        ("1e999", "Kept.", "That is not a number."),
        ("5.1", "Kept.", "From 0 to 5 points can be given."),
        ("-1", "Kept.", "From 0 to 5 points can be given."),
        ("3", "x" * 4_001, "The comment has 4001 characters; 4000 fit."),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_with_what_was_typed_kept(
    installation: Installation, points: str, comment: str, said: str
) -> None:
    id_, browser = await furnish(installation), await entered(installation)
    fields = Fields((await browser.get(answer_at(id_))).text)
    refused = await browser.send(fields.action, {**fields.sent, "points": points, "comment": comment})
    assert refused.status_code == 422
    name = "comment" if points == "3" else "points"
    assert re.search(rf'id="{name}-problem">{re.escape(html.escape(said))}', refused.text)
    assert f'aria-describedby="{name}-hint {name}-problem" aria-invalid="true"' in refused.text
    kept = Fields(refused.text).sent
    assert (kept["points"], kept["comment"]) == (points, comment)
    assert "settled" not in await score_of(installation, id_)


async def test_somebody_elses_decision_is_told_and_not_overwritten(installation: Installation) -> None:
    id_, browser = await furnish(installation), await entered(installation)
    mine = Fields((await browser.get(answer_at(id_))).text)
    other = await entered(installation)
    theirs = Fields((await other.get(answer_at(id_))).text)
    await other.send(theirs.action, {**theirs.sent, "points": "2", "comment": "Theirs."})
    wrong = await browser.send(mine.action, {**mine.sent, "points": "six", "comment": "Mine."})
    assert Fields(wrong.text).sent["seen"] == ""
    told = await browser.send(mine.action, {**mine.sent, "points": "4", "comment": "Mine."})
    assert told.status_code == 409
    assert "Somebody decided on this answer" in told.text
    assert "Theirs." in told.text
    assert (await score_of(installation, id_))["points"] == 2
    kept = Fields(told.text)
    assert (kept.sent["points"], kept.sent["comment"]) == ("4", "Mine.")
    assert (await browser.send(kept.action, kept.sent)).status_code == 303
    assert (await score_of(installation, id_))["points"] == 4


async def test_what_cannot_be_decided_has_no_form_and_says_why(installation: Installation) -> None:
    browser = await entered(installation)
    unscored = await furnish(installation, ())
    page = (await browser.get(answer_at(unscored))).text
    assert ("not scored yet" in page, "<form" in page) == (True, False)
    id_ = await furnish(installation, (Stage.SCORE,))
    fields = Fields((await browser.get(answer_at(id_))).text)
    assert "The rules are sure" in (await browser.get(answer_at(id_, "sure"))).text
    await installation.caller().post(f"/v1/submissions/{id_}/cancel")
    refused = await browser.send(fields.action, {**fields.sent, "points": "1"})
    assert (refused.status_code, "is cancelled" in refused.text, "<form" in refused.text) == (409, True, False)


async def test_what_was_typed_is_shown_where_the_session_is_over(installation: Installation) -> None:
    id_, browser = await furnish(installation), await entered(installation)
    fields = Fields((await browser.get(answer_at(id_))).text)
    typed = {**fields.sent, "points": "4", "comment": "<b>Long</b>\n  thought."}
    late = await Browser(installation, "a.b.c").send(fields.action, typed, **{"Sec-Fetch-Site": "same-origin"})
    assert (late.status_code, "<b>Long</b>\n  thought." in text_of(late.text)) == (401, True)
    check_is_strict(late)
    structure = Structure(late.text)
    assert (structure.wrong, structure.open) == ([], [])
    for headers, status in (({"Sec-Fetch-Site": "cross-site"}, 403), ({}, 401)):
        elsewhere = await Browser(installation, "").send(fields.action, typed, **headers)
        assert (elsewhere.status_code, "thought" in elsewhere.text) == (status, False)
    assert "settled" not in await score_of(installation, id_)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_a_form_of_another_site_is_refused(installation: Installation, site: str) -> None:
    """Even with the right token, and from a neighbour whose requests carry the cookie."""
    id_, browser = await furnish(installation), await entered(installation)
    fields = Fields((await browser.get(answer_at(id_))).text)
    refused = await browser.send(fields.action, {**fields.sent, "points": "1"}, **{"Sec-Fetch-Site": site})
    assert refused.status_code == 403
    assert "settled" not in await score_of(installation, id_)


@pytest.mark.parametrize("token", ["", "0" * 32, "another browser's"])
async def test_a_form_without_this_browsers_token_is_refused(installation: Installation, token: str) -> None:
    id_, browser = await furnish(installation), await entered(installation)
    path = answer_at(id_)
    other = Fields((await (await entered(installation)).get(path)).text).sent["token"]
    sent = {"points": "1", "comment": "", "seen": "", "token": other if token == "another browser's" else token}
    refused = await browser.send(path, sent)
    assert (refused.status_code, "<form" in refused.text) == (403, False)
    told = await browser.send(path, sent, **{"Sec-Fetch-Site": "same-origin"})
    assert (told.status_code, "entered anew" in told.text) == (403, True)
    assert "settled" not in await score_of(installation, id_)
    kept = Fields(told.text)
    assert (await browser.send(kept.action, kept.sent, **{"Sec-Fetch-Site": "same-origin"})).status_code == 303


async def test_only_a_token_that_settles_opens_these_pages_and_links_to_them(installation: Installation) -> None:
    id_ = await furnish(installation)
    viewer = await entered(installation, settle=False)
    learner = (await installation.caller().post("/v1/learners/ada/token")).json()["token"]
    settles = await entered(installation)
    form = {"points": "1", "comment": "", "seen": "", "token": ""}
    for browser, status in (
        (viewer, 403),
        (Browser(installation, learner), 403),
        (Browser(installation, ""), 401),
        (await entered(installation, "academy"), 404),
    ):
        assert (await browser.get(answer_at(id_))).status_code == status
        sent = await browser.send(answer_at(id_), form, **{"Sec-Fetch-Site": "same-origin"})
        assert sent.status_code == status
    assert "settled" not in await score_of(installation, id_)
    assert answer_at(id_) not in html.unescape((await (await entered(installation, "academy")).get(LIST)).text)
    for path in ("/pages/teacher", "/pages/teacher/careers", "/pages/teacher/items"):
        assert LIST in (await settles.get(path)).text
        assert LIST not in (await viewer.get(path)).text


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"points=1&mark=A", FORM, 422),
        (b"points=%ff", FORM, 422),
        (b"points=1&comment=a%00b", FORM, 422),
        (b"points=1&seen=2026-03-02T09:00:00", FORM, 422),
        (b"&".join(b"points=1" for _ in range(30)), FORM, 422),
        (b'{"points": 1}', "application/json", 415),
        (b"x" * 1_100_000, FORM, 413),
    ],
)
async def test_what_is_no_form_of_ours_is_refused(
    installation: Installation, body: bytes, content_type: str, status: int
) -> None:
    id_, browser = await furnish(installation), await entered(installation)
    token = Fields((await browser.get(answer_at(id_))).text).sent["token"].encode()
    sent = {"Cookie": f"gradeline_page={browser.token}", "Content-Type": content_type}
    full = body if status != 422 else body + b"&token=" + token
    refused = await installation.bearer(None).call("POST", answer_at(id_), full, **sent)
    assert refused.status_code == status, refused.text
    assert "settled" not in await score_of(installation, id_)


async def test_an_address_with_a_mistake_says_so(installation: Installation) -> None:
    browser = await entered(installation)
    for path, status in (
        (ANSWER, 422),
        (answer_at("not-an-id"), 404),
        (answer_at("01900000-0000-7000-8000-000000000001"), 404),
        (f"{LIST}?cursor=x", 422),
        (f"{LIST}?decided=perhaps", 422),
    ):
        assert (await browser.get(path)).status_code == status, path
    assert (await browser.get(answer_at(await furnish(installation), "other"))).status_code == 404
    assert (await installation.caller(Role.TEACHER).get(LIST)).status_code == 401
