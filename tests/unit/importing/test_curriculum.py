"""Files of curricula: both forms, and everything wrong told at once, by entry and field."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.curriculum.entry import Kind
from pipeline.curriculum.model import NO_CURRICULUM, Curriculum, Module, Resource, ResourceKind
from pipeline.curriculum.whole import faults_in
from pipeline.errors import InvalidInput
from pipeline.importing.curriculum import MOST_PROBLEMS, is_curriculum, read_curriculum
from pipeline.importing.curriculum_file import CurriculumFile
from pipeline.importing.item import Unreadable
from pipeline.importing.reading import detect, read_questions
from tests.unit.curriculum.samples import a_curriculum, a_module
from tests.unit.scoring.samples import document

MODULE = {"id": "m", "title": "M", "difficulty": 1, "hours": 2}
RESOURCE = {"id": "r", "title": "R", "kind": "video", "url": "https://example.org/v", "topics": ["x"]}
FULL: dict[str, list[dict[str, Any]]] = {
    "categories": [
        {"id": "c", "title": "C", "months": 3, "tracks": ["t"], "translations": {"ko": {"title": "씨"}}},
    ],
    "tracks": [{"id": "t", "title": "T", "modules": ["m"], "description": "A track."}],
    "modules": [{**MODULE, "topics": ["x"], "industries": ["fintech"], "tags": ["new"]}],
    "resources": [{**RESOURCE, "modules": ["m"], "minutes": 12, "language": "ko", "difficulty": 2}],
    "projects": [
        {"id": "p", "title": "P", "description": "Build it.", "difficulty": 3, "topics": ["x"], "steps": ["Begin."]},
    ],
    "questions": [document("true_false", id="q")],
}


def read(value: Any) -> CurriculumFile:
    return read_curriculum(json.dumps(value).encode())


def problems(file: CurriculumFile, base: Curriculum = NO_CURRICULUM) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        file.applied_to(base)
    return [(problem.pointer, problem.detail) for problem in refused.value.problems]


def test_a_document_is_read_with_all_its_parts() -> None:
    file = read(FULL)
    assert file.counts() == dict.fromkeys(FULL, 1)
    whole = file.applied_to(NO_CURRICULUM)
    assert whole.modules["m"] == Module("m", "M", 1, 2.0, topics=("x",), tags=("new",), industries=("fintech",))
    assert whole.categories["c"].translations["ko"]["title"] == "씨"
    assert whole.resources["r"] == Resource(
        "r", "R", ResourceKind.VIDEO, "https://example.org/v", ("x",), ("m",), 2, 12, "ko"
    )
    assert [question.id for question in file.questions] == ["q"]


def test_lines_that_say_their_kind_are_the_same_file() -> None:
    kinds = {**{str(kind): part for kind, part in zip(Kind, FULL, strict=False)}, "question": "questions"}
    lines = [{**thing, "kind": kind} for kind, part in kinds.items() for thing in FULL[part]]
    lines[3]["resource_kind"] = "video"
    file = read_curriculum("\n\n".join(json.dumps(line) for line in lines).encode())
    assert file.applied_to(NO_CURRICULUM) == read(FULL).applied_to(NO_CURRICULUM)
    assert file.questions == read(FULL).questions


def test_everything_wrong_is_told_at_once_by_entry_and_field() -> None:
    wrong = {
        "lessons": [],
        "categories": [{"id": "c", "title": " ", "months": 0, "tracks": ["t", "t"], "colour": "red"}],
        "tracks": [{"id": "t", "title": "T", "modules": ["m", "nowhere"]}],
        "modules": [
            {**MODULE, "difficulty": 6, "hours": 0, "translations": {"ko-KR": {}, "ja": {"name": "x"}}},
            {**MODULE, "title": None},
            "a module",
        ],
        "resources": [{**RESOURCE, "kind": "book", "url": "http://example.org/", "topics": []}],
        "questions": [{"id": "q", "type": "true_false", "prompt": "?", "answer": {"value": 1}}],
    }
    found = problems(read(wrong))
    assert {pointer for pointer, _ in found} == {
        "/lessons",
        "/categories/0/colour",
        "/categories/0/title",
        "/categories/0/months",
        "/categories/0/tracks/1",
        "/tracks/0/modules/1",
        "/modules/0/difficulty",
        "/modules/0/hours",
        "/modules/0/translations/ko-KR",
        "/modules/0/translations/ja/name",
        "/modules/1/id",
        "/modules/1/title",
        "/modules/2",
        "/resources/0/kind",
        "/resources/0/url",
        "/resources/0/topics",
        "/questions/0/answer/value",
    }
    told = dict(found)
    assert told["/modules/0/hours"] == 'Module "m": must be above 0 and at most 1,000.'
    assert told["/modules/1/id"] == 'Module "m": is the id of /modules/0 too.'
    assert told["/tracks/0/modules/1"] == 'Track "t": refers to the module "nowhere", which does not exist.'
    assert told["/questions/0/answer/value"].startswith('Question "q": must be')


def test_in_a_file_of_lines_the_line_is_told() -> None:
    lines = [{"kind": "module", **MODULE, "hours": "two"}, {"kind": "lesson"}, 7, {"kind": "module", **MODULE}]
    found = problems(read_curriculum("\n".join(map(json.dumps, lines)).encode()))
    assert found == [
        ("/hours", 'Line 1, module "m": must be a number.'),
        ("/kind", "Line 2: must be one of category, track, module, resource, project, question."),
        ("", "Line 3: must be one JSON object."),
        ("/id", 'Line 4, module "m": is the id of line 1 too.'),
    ]


def test_an_entry_with_problems_is_there_for_those_that_refer_to_it() -> None:
    broken = {"tracks": [{"id": "t", "title": "T", "modules": ["m"]}], "modules": [{"id": "m"}]}
    assert {pointer for pointer, _ in problems(read(broken))} == {
        "/modules/0/title",
        "/modules/0/difficulty",
        "/modules/0/hours",
    }


def test_a_circle_with_what_is_there_already_is_named_whole() -> None:
    base = a_curriculum([a_module("a"), a_module("b", "a")])
    given = {"modules": [{**MODULE, "id": "a", "prerequisites": ["b"]}]}
    assert problems(read(given), base) == [
        ("/modules/0/prerequisites", 'Module "a": prerequisites go in a circle, each needs the next: a → b → a.')
    ]


def test_a_file_may_refer_to_what_is_there_already() -> None:
    base = a_curriculum([a_module("a")])
    whole = read({"modules": [{**MODULE, "prerequisites": ["a"]}]}).applied_to(base)
    assert list(whole.modules) == ["a", "m"]


@pytest.mark.parametrize("id_", ["", " m", "a b", "a/b", "a,b", ".", "-a", "a?b", "a\n", "x" * 101, 7, None, "a\u0000"])
def test_ids_that_could_not_stand_in_an_address_are_refused(id_: Any) -> None:
    assert any(pointer == "/modules/0/id" for pointer, _ in problems(read({"modules": [{**MODULE, "id": id_}]})))


@pytest.mark.parametrize("id_", ["a", "py-lists.2", "리스트", "配列_1"])
def test_ids_may_be_of_any_script(id_: str) -> None:
    assert id_ in read({"modules": [{**MODULE, "id": id_}]}).applied_to(NO_CURRICULUM).modules


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "javascript:alert(1)",
        "//example.org",
        "https://",
        "https:///path",
        "https://user:pass@example.org/",
        "https://exa mple.org/",
        'https://example.org/"onload=x',
        "https://example.org\\@evil.org/",
        "https://example.org:99999999/",
        "https://[::1/",
        "https://example.org/" + "x" * 2_000,
        7,
    ],
)
def test_addresses_that_are_not_safe_to_click_are_refused(url: Any) -> None:
    assert [pointer for pointer, _ in problems(read({"resources": [{**RESOURCE, "url": url}]}))] == ["/resources/0/url"]


@pytest.mark.parametrize("url", ["https://example.org", "HTTPS://docs.example.org:8443/a?b=c#d", "https://例え.jp/あ"])
def test_other_addresses_are_taken(url: str) -> None:
    assert read({"resources": [{**RESOURCE, "url": url}]}).problems == ()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "not valid JSON"),
        (b"[]", "one JSON object"),
        (b"7", "one JSON object"),
        (b"\xff\xff{", "no text"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"a": "\\ud800"}', "not valid JSON"),
    ],
)
def test_a_file_that_is_no_document_is_refused_in_one_sentence(data: bytes, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        read_curriculum(data).applied_to(NO_CURRICULUM)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b'{"modules": [], "modules": []}', "/modules"),
        (b'{"modules": [{"id": "m", "id": "n"}]}', "/modules/0/id"),
        (b'{"kind": "module", "id": "m", "id": "n"}', "/id"),
    ],
)
def test_a_field_that_is_given_twice_is_refused_by_its_place(data: bytes, place: str) -> None:
    found = [pointer for pointer, detail in problems(read_curriculum(data)) if "given more than once" in detail]
    assert found == [place]


def test_not_more_problems_are_looked_for_than_anybody_reads() -> None:
    assert len(read({"modules": [{}] * 4_000}).problems) == MOST_PROBLEMS


def test_lists_that_are_too_long_are_refused_by_name() -> None:
    found = problems(read({"modules": [{**MODULE, "tags": ["x"] * 51}], "categories": [{}] * 501}))
    assert ("/categories", "Has more than 500 items.") in found
    assert ("/modules/0/tags", 'Module "m": has more than 50 items.') in found


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["m", "video"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*MODULE, *RESOURCE, "kind"]), inner),
    max_leaves=20,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # on a machine with much else to do
@given(st.dictionaries(st.sampled_from([*FULL]), st.lists(ANYTHING, max_size=4) | ANYTHING))
def test_whatever_a_file_holds_it_is_read_or_told_what_is_wrong(value: Any) -> None:
    file = read_curriculum(json.dumps(value).encode())
    faults = list(faults_in(file.curriculum))
    if file.problems or faults:
        assert problems(file)
    else:
        assert file.applied_to(NO_CURRICULUM) == file.curriculum


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(FULL),
        json.dumps(FULL, indent=2),
        '{"questions": []}',
        "\ufeff" + json.dumps({"tracks": []}),
        json.dumps({"kind": "module", **MODULE}) + "\n" + json.dumps({"kind": "question"}),
        '{\n  "about": "our courses",\n  "modules": [\n',
        '{"modules": [' + '{"id": "x"}, ' * 10_000,
    ],
)
@pytest.mark.parametrize("name", ["", "flutter.json", "bank.gift", "bank.ndjson"])
def test_a_curriculum_is_told_by_its_content(content: str, name: str) -> None:
    assert detect(content.encode(), name) == "curriculum"


@pytest.mark.parametrize("content", [json.dumps(document("essay")), '{"kind": "essay"}', "{modules}", '["modules"]'])
def test_other_files_are_no_curricula(content: str) -> None:
    assert not is_curriculum(content)


def test_a_curriculum_is_no_bank_of_questions() -> None:
    with pytest.raises(Unreadable, match="is a curriculum"):
        list(read_questions(json.dumps(FULL).encode()))
