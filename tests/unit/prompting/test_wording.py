import pytest
from jinja2 import TemplateRuntimeError, UndefinedError
from jinja2.exceptions import SecurityError

from pipeline.prompting.wording import Remark, Wording, join_paragraphs, wording_of
from prompts.catalog import LANGUAGES, Text, load


def wording(body: str) -> Wording:
    return Wording(Text("test", "en", 1, "testing", '{% set space = " " %}' + body))


def test_a_fact_that_looks_like_a_template_is_not_one() -> None:
    said = wording("{% macro given(answer) %}You wrote {{ answer }}.{% endmacro %}")

    assert said.say(Remark("given", {"answer": "{{ 7 * 7 }}{% if %}"})) == "You wrote {{ 7 * 7 }}{% if %}."


def test_a_missing_fact_is_an_error_and_not_an_empty_word() -> None:
    said = wording("{% macro given(answer) %}You wrote {{ answer }}.{% endmacro %}")

    with pytest.raises(UndefinedError):
        said.say(Remark("given"))


def test_a_text_cannot_reach_into_python() -> None:
    said = wording("{% macro x(answer) %}{{ answer.__class__.__mro__ }}{% endmacro %}")

    with pytest.raises(SecurityError):
        said.say(Remark("x", {"answer": ""}))


def test_a_text_cannot_include_another() -> None:
    with pytest.raises((TypeError, TemplateRuntimeError)):
        wording('{% include "feedback/template/en.jinja" %}')


def test_sentences_are_spaced_as_the_language_does_and_empty_ones_left_out() -> None:
    said = wording("{% macro a() %}A.{% endmacro %}{% macro b() %}{% endmacro %}")

    assert said.paragraph([Remark("a"), Remark("b"), Remark("a")]) == "A. A."
    assert said.text([[Remark("a")], [], [Remark("b")], [Remark("a")]]) == "A.\n\nA."
    assert join_paragraphs([]) == ""


def test_a_text_is_compiled_once_in_a_process() -> None:
    assert wording_of("feedback/template", "ko") is wording_of("feedback/template", "ko")
    assert wording_of("feedback/template", "ko") is not wording_of("feedback/template", "en")
    assert wording_of("feedback/template", "ko").reference == load("feedback/template", "ko").reference


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_words_for_the_same_remarks_with_the_same_facts(language: str) -> None:
    english = Wording(load("feedback/template", "en"))

    assert Wording(load("feedback/template", language)).names == english.names


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_has_words(language: str) -> None:
    """Told with a marker for each fact, no sentence is empty, unbalanced or spread over lines."""
    said = Wording(load("feedback/template", language))

    for name, facts in said.names.items():
        sentence = said.say(Remark(name, {fact: _sample(fact) for fact in facts}))

        assert sentence == sentence.strip(), name
        assert sentence, name
        assert "\n" not in sentence, name
        assert "{" not in sentence, name


def _sample(fact: str) -> object:
    samples: dict[str, object] = {
        "items": ("p", "q"),
        "topics": ("p", "q"),
        "more": 2,
        "count": 2,
        "total": 3,
    }
    return samples.get(fact, "7")
