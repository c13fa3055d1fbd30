"""What topics are called."""

from pipeline.curriculum.entry import Kind, curriculum_of
from pipeline.curriculum.model import Module
from pipeline.curriculum.naming import names_by, teachers_of, topic_names

LISTS = Module("lists", "Lists", 1, 2.0, ("python.lists",), translations={"ko": {"title": "리스트"}})
FLOW = Module("flow", "Control flow", 1, 2.0, ("python.loops", "python.if_else", "python.shared"))
OTHER = Module("other", "Other", 1, 2.0, ("python.shared",))
ALONE = Module("alone", "Without topics", 1, 2.0)
TWINS = tuple(Module(name, "Twin", 1, 2.0, (name,)) for name in ("twin_a", "twin_b"))
SCHOOL = curriculum_of({Kind.MODULE: {one.id: one for one in (LISTS, FLOW, OTHER, ALONE, *TWINS)}})


def named(*topics: str, locale: str = "en") -> dict[str, str]:
    return dict(topic_names(SCHOOL, topics, locale))


def test_a_modules_only_topic_is_called_as_the_module_is_in_the_readers_language() -> None:
    assert named("python.lists") == {"python.lists": "Lists"}
    assert named("python.lists", locale="ko-KR") == {"python.lists": "리스트"}


def test_one_of_several_topics_of_a_module_says_which() -> None:
    assert named("python.loops", "python.if_else") == {
        "python.loops": "Control flow: loops",
        "python.if_else": "Control flow: if else",
    }


def test_a_module_without_topics_names_the_topic_of_its_id() -> None:
    assert named("alone") == {"alone": "Without topics"}


def test_what_is_not_taught_or_taught_twice_or_not_told_apart_has_no_name() -> None:
    assert named("sql.joins", "python.shared", "twin_a", "twin_b") == {}


def test_names_do_not_depend_on_whose_teachers_were_looked_for_as_well() -> None:
    """A twin alone has a name, also where the other one's module is known."""
    teachers = teachers_of(SCHOOL, ["twin_a", "twin_b", "python.shared", "alone", "sql.joins"])
    assert (
        names_by(teachers, ["twin_a", "python.shared"], "en") == named("twin_a", "python.shared") == {"twin_a": "Twin"}
    )
