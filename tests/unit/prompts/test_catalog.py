"""The texts are complete in every language, and none changes behind its version's back."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from prompts.catalog import (
    LANGUAGES,
    MalformedText,
    Text,
    changed_without_version,
    every,
    load,
    parse,
    recorded,
    unrecorded,
    with_new_versions,
)


def test_no_text_was_changed_without_a_new_version() -> None:
    """If this fails, raise `version:` in the texts it names, then run `python -m prompts`."""
    assert changed_without_version(every(), recorded()) == ()


def test_every_version_is_in_the_record() -> None:
    """If this fails, run `python -m prompts` and commit the record."""
    assert unrecorded(every(), recorded()) == ()


def test_a_text_changed_under_its_old_version_is_found_out() -> None:
    text = load("feedback/template", "en")

    meddled = replace(text, body=text.body + "!")

    assert changed_without_version((meddled,), recorded()) == ("feedback/template/en@1",)


def test_a_text_changed_under_a_new_version_is_accepted_and_asks_to_be_recorded() -> None:
    text = load("feedback/template", "en")

    raised = replace(text, body=text.body + "!", version=999)

    assert changed_without_version((raised,), recorded()) == ()
    assert unrecorded((raised,), recorded()) == ("feedback/template/en@999",)


def test_recording_a_new_version_keeps_what_the_old_ones_stood_for() -> None:
    text = load("feedback/template", "en")
    raised = replace(text, body="new words", version=999)

    record = with_new_versions((raised,), recorded())

    assert record["feedback/template/en"] == {**recorded()["feedback/template/en"], "999": raised.digest}


def test_recording_never_replaces_the_digest_of_a_released_version() -> None:
    meddled = replace(load("feedback/template", "en"), body="other words")

    assert with_new_versions((meddled,), recorded()) == recorded()


@pytest.mark.parametrize("text_id", sorted({text.id for text in every() if text.schema is None}))
def test_every_text_that_people_read_exists_in_every_language(text_id: str) -> None:
    assert {text.language for text in every() if text.id == text_id} == set(LANGUAGES)


def test_models_are_instructed_in_english() -> None:
    """They are told which language to write in: one version of the instructions to compare and to cache."""
    assert {text.language for text in every() if text.schema is not None} == {"en"}


@pytest.mark.parametrize("text", [text for text in every() if text.schema is not None])
def test_the_front_matter_of_a_prompt_says_what_it_is(text: Text) -> None:
    source = files("prompts").joinpath(*text.id.split("/"), f"{text.language}.jinja").read_text(encoding="utf-8")

    assert f"id: {text.id}\n" in source
    assert f"language: {text.language}\n" in source


def test_changing_the_shared_rules_changes_every_prompt_that_comes_after_them() -> None:
    ground = load("feedback/ground", "en")

    assert load("feedback/personalized", "en").body.startswith(ground.body)
    assert load("feedback/encouragement", "en").body.startswith(ground.body)


@pytest.mark.parametrize("field", ["id: another", "language: ja", "color: red", "after: feedback/nothing"])
def test_a_front_matter_that_contradicts_its_file_is_refused(field: str) -> None:
    with pytest.raises((MalformedText, FileNotFoundError)):
        parse("a/b", "en", f"---\nversion: 1\npurpose: x\n{field}\n---\nBody")


def test_a_text_is_split_into_front_matter_and_body() -> None:
    text = parse("a/b", "ko", "---\nversion: 3\npurpose: To show: this.\n---\nBody\n---\nmore")

    assert (text.version, text.purpose, text.body) == (3, "To show: this.", "Body\n---\nmore")
    assert text.reference == "a/b/ko@3"


@pytest.mark.parametrize(
    "source",
    ["", "Body", "---\nversion: 1\n---\nBody", "---\nversion: one\npurpose: x\n---\n", "---\nversion\n---\n"],
)
def test_a_text_without_a_proper_front_matter_is_refused_by_name(source: str) -> None:
    with pytest.raises(MalformedText, match="a/b/en"):
        parse("a/b", "en", source)


def written(folder: Path, name: str, version: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath(name).write_text(f"---\nversion: {version}\npurpose: x\n---\nwords {version}", encoding="utf-8")


def test_another_version_may_stand_beside_the_current_one(tmp_path: Path) -> None:
    written(tmp_path / "a" / "b", "en.jinja", 2)
    written(tmp_path / "a" / "b", "en@3.jinja", 3)

    assert load("a/b", "en", tmp_path).reference == "a/b/en@2"
    assert load("a/b@2", "en", tmp_path).reference == "a/b/en@2"
    assert load("a/b@3", "en", tmp_path).body == "words 3"
    with pytest.raises(FileNotFoundError, match="no version 4 of a/b/en"):
        load("a/b@4", "en", tmp_path)


def test_a_file_that_promises_another_version_than_it_has_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "a" / "b", "en@3.jinja", 2)

    with pytest.raises(MalformedText, match="en@3"):
        load("a/b@3", "en", tmp_path)


def test_a_text_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load("a/b", "en", tmp_path)
