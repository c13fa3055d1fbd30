"""The page of a learner as HTML: whole, well formed, in every language, and safe whatever things are called."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from api.pages.geometry import fitted
from api.pages.learner import PROMPT_COLUMNS, Known, LearnerPageQuery, is_before_the_first, learner_page, weeks_of
from api.pages.learner_view import review_rows
from api.pages.words import LANGUAGES, Words
from pipeline.learning.report import report_of
from pipeline.learning.session import HandIn
from pipeline.learning.week import Week
from tests.unit.api.pages.samples import HOSTILE, NOW, TOPICS, WEEK, known, nothing_known

VOID: Final = {"meta", "link", "br", "wbr"}
ALLOWED: Final = {
    *("html", "head", "meta", "title", "link", "style", "body", "a", "header", "main", "nav", "div", "section"),
    *(
        "h1",
        "h2",
        "h3",
        "p",
        "ul",
        "ol",
        "li",
        "span",
        "bdi",
        "br",
        "dl",
        "dt",
        "dd",
        "progress",
        "figure",
        "figcaption",
    ),
    *("details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("wbr", "svg", "g", "text", "desc", "line", "polygon", "polyline", "circle", "rect"),
}
LANDMARKS: Final = ("header", "main", "nav")


class Page(HTMLParser):
    """A page that was read strictly: every tag closed in its order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), "an attribute twice"
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def attributes(self, name: str) -> Iterator[str | None]:
        return (attributes[name] for _, attributes in self.found if name in attributes)


def rendered(of: Known, language: str = "en", query: LearnerPageQuery | None = None) -> str:
    return str(learner_page(of, Words(language), query or LearnerPageQuery()).content)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("make", [known, nothing_known])
def test_the_page_is_whole_and_well_formed_in_every_language(language: str, make: Callable[[], Known]) -> None:
    html = rendered(make(), language)
    page = Page(html)
    assert html.startswith(f'<!doctype html>\n<html lang="{language}">')
    assert {tag for tag, _ in page.found} <= ALLOWED
    ids = [id_ for id_ in page.attributes("id") if id_]
    assert len(ids) == len(set(ids))
    named = [name for value in page.attributes("aria-labelledby") for name in str(value).split()]
    assert set(named) <= set(ids)
    assert "{" not in "".join(text for text in page.texts if "@media" not in text)


def test_landmarks_and_headings_are_there_for_who_cannot_see_the_page() -> None:
    page = Page(rendered(known()))
    tags = [tag for tag, _ in page.found]
    assert set(LANDMARKS) <= set(tags)
    assert [tag for tag in tags if tag in {"h1", "h2", "h3"}][:2] == ["h1", "h2"]
    assert tags.count("h1") == tags.count("main") == 1
    first_link = next(attributes for tag, attributes in page.found if tag == "a")
    assert first_link == {"class": "skip", "href": "#content"}
    assert next(attributes["id"] for tag, attributes in page.found if tag == "main") == "content"


def test_every_picture_has_a_title_a_description_and_a_table() -> None:
    html = rendered(known())
    pictures = [attributes for tag, attributes in Page(html).found if tag == "svg"]
    assert len(pictures) == 4
    assert all(one["role"] == "img" and len(str(one["aria-labelledby"]).split()) == 2 for one in pictures)
    assert html.count("<table>") >= len(pictures)
    assert all(header in {"col", "row"} for tag, one in Page(html).found if tag == "th" for header in [one["scope"]])


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_learner_or_a_topic_is_called_it_is_text(name: str) -> None:
    topics = (name, *TOPICS[:3])
    for language in LANGUAGES:
        html = rendered(known(name, topics), language)
        page = Page(html)
        assert {tag for tag, _ in page.found} <= ALLOWED
        assert not any(key.startswith("on") or key == "style" for _, attributes in page.found for key in attributes)
        assert name in page.texts


@given(st.text(min_size=1, max_size=60))
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_name_leaves_the_page_well_formed(name: str) -> None:
    Page(rendered(known(name, (name, *TOPICS[:2])), "ko"))


def test_a_long_name_may_be_broken_behind_its_parts() -> None:
    html = rendered(known(topics=("structures.hash_maps", "<b>.x", *TOPICS[:2])))
    assert "<bdi>structures.<wbr>hash_<wbr>maps</bdi>" in html
    assert "<bdi>&lt;b&gt;.<wbr>x</bdi>" in html


def test_links_lead_to_our_pages_and_to_https_only() -> None:
    links = [str(link) for link in Page(rendered(known())).attributes("href")]
    assert all(link.startswith(("#content", "/pages/learner?", "https://", "data:,")) for link in links)
    assert "Not to be linked" in rendered(known())


def test_other_weeks_keep_language_and_time_zone() -> None:
    report = known().report
    query = LearnerPageQuery(week=WEEK.name, timezone="Asia/Seoul", locale="ko")
    links = weeks_of(report, NOW, query)
    assert links.before == "/pages/learner?week=2026-W45&timezone=Asia%2FSeoul&locale=ko"
    assert links.after == "/pages/learner?week=2026-W47&timezone=Asia%2FSeoul&locale=ko"
    html = rendered(known(), query=query)
    assert 'href="/pages/learner?week=2026-W46&amp;timezone=Asia%2FSeoul&amp;locale=ja"' in html


def test_there_is_no_way_to_a_week_that_has_not_begun() -> None:
    report = known().report
    assert weeks_of(report, WEEK.end(UTC), LearnerPageQuery()).after is not None
    assert weeks_of(report, WEEK.start(UTC), LearnerPageQuery()).after is None


@pytest.mark.parametrize("name", HOSTILE)
def test_topics_and_questions_go_by_their_names_as_text(name: str) -> None:
    """Whatever a teacher calls a module or asks in a question, it stays text; what has no name goes by its id."""
    one = known()
    first, second, *_ = one.advice.questions
    page = Page(rendered(replace(one, names={TOPICS[0]: name}, prompts={first.question_id: name})))
    texts = [text.strip() for text in page.texts]
    assert {tag for tag, _ in page.found} <= ALLOWED
    assert first.question_id not in texts
    assert second.question_id in texts
    assert fitted(" ".join(name.split()), PROMPT_COLUMNS) in texts
    assert TOPICS[0] not in texts


def test_sentences_call_topics_by_their_names() -> None:
    html = rendered(replace(known(), names=dict.fromkeys(TOPICS[:2], "Lists")))
    assert "Practise Lists, where answers went wrong lately." in html
    assert "Answer the 3 questions picked for you: Lists, Lists" in html


MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
SUNDAY_EVENING, MONDAY_NOON = MONDAY - timedelta(hours=4), MONDAY + timedelta(hours=12)
TUESDAY = MONDAY + timedelta(days=1, hours=12)


@pytest.mark.parametrize(
    ("timezone", "handed_in", "expected"),
    [
        ("UTC", [MONDAY_NOON], True),
        ("UTC", [TUESDAY], True),
        ("UTC", [SUNDAY_EVENING], False),
        ("UTC", [SUNDAY_EVENING, TUESDAY], False),
        ("UTC", [TUESDAY - timedelta(days=14), TUESDAY], False),
        ("UTC", [], False),
        ("Asia/Seoul", [SUNDAY_EVENING], True),
        ("Asia/Seoul", [SUNDAY_EVENING - timedelta(hours=6)], False),
        ("America/New_York", [MONDAY + timedelta(hours=2)], False),
        ("America/New_York", [MONDAY_NOON], True),
    ],
)
def test_a_learner_begins_in_a_week_where_the_learner_is(
    timezone: str, handed_in: Sequence[datetime], *, expected: bool
) -> None:
    """The last week of somebody who began on Monday is empty, and what was just done would seem lost."""
    hand_ins = [HandIn(at, ()) for at in handed_in]
    days = [replace(known().days[0], day=at.date()) for at in handed_in]
    report = report_of(hand_ins, Week(date(2026, 11, 9)), ZoneInfo(timezone), timezone, now=TUESDAY)
    assert is_before_the_first(report, days) is expected


def test_reviews_are_due_on_the_days_of_the_pages_time_zone() -> None:
    skill, say = replace(known().skills[0], due_at=SUNDAY_EVENING), Words("en")
    days = [
        review_rows([skill], SUNDAY_EVENING - timedelta(days=1), ZoneInfo(zone), say)[0][1]
        for zone in ("UTC", "Asia/Seoul")
    ]
    assert days == [say("due_on", day=say.day(date(2026, 11, day))) for day in (15, 16)]


def test_the_next_steps_speak_of_the_questions_that_the_page_lists() -> None:
    """A report was made with advice of its time; what is listed below it is of now."""
    one = known()
    question = one.advice.questions[0]
    advice = replace(one.advice, questions=(replace(question, topic="graphs"),))
    assert "Answer the question picked for you: graphs." in rendered(replace(one, advice=advice))
    assert "picked for you" not in rendered(replace(one, advice=replace(one.advice, questions=())))


def test_minutes_are_rounded_as_in_the_sentence_beside_them() -> None:
    one = known()
    total = replace(one.report.total, minutes=1.6)
    assert "<dd>2</dd></div>" in rendered(replace(one, report=replace(one.report, total=total)))


def test_code_in_a_prompt_does_not_run_into_its_words() -> None:
    one = known()
    prompt = "What does `f` print?\n```python\na = 1\nprint(a)\n```\nChoose one."
    html = rendered(replace(one, prompts={one.advice.questions[0].question_id: prompt}))
    assert "<bdi>What does f print? … Choose one.</bdi>" in html


def test_a_long_prompt_is_shortened_to_what_it_is_known_by() -> None:
    one = known()
    texts = Page(rendered(replace(one, prompts={one.advice.questions[0].question_id: "word\n " * 100}))).texts
    assert f"{'word ' * 19}word…" in texts
