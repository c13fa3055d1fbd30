"""What the teacher's pages show, without a server."""

from string import Formatter

from msgspec.structs import replace

from api.analytics_shown import FactorShown
from api.pages.shared_words import SHARED
from api.pages.teacher_view import TABLE, by_score, by_sign, careers_chart, drawn, height_of, reason_of
from api.pages.teacher_words import TEACHER
from api.pages.words import LANGUAGES, Words
from pipeline.learning.item_analysis import Flag, Missing
from pipeline.learning.risk import FactorBasis, Sign
from pipeline.ports.analytics import RiskSums
from pipeline.service.careers import Career

ENGLISH = Words("en", TABLE)


def test_every_entry_says_the_same_in_every_language() -> None:
    for name, said in TEACHER.items():
        texts = [getattr(said, language) for language in LANGUAGES]
        assert all(texts), name
        fields = {frozenset(field for _, field, _, _ in Formatter().parse(text) if field) for text in texts}
        assert len(fields) == 1, name


def test_the_teachers_words_leave_those_of_all_pages_as_they_are() -> None:
    assert not set(TEACHER) & set(SHARED)


def test_there_are_words_for_every_sign_flag_and_missing_figure() -> None:
    assert {*Sign, *Flag, *Missing, *(f"{sign}_value" for sign in Sign)} <= set(TEACHER)


def test_a_sign_is_told_with_its_value() -> None:
    def factor(sign: Sign, value: float | None, basis: FactorBasis = FactorBasis.ALL) -> FactorShown:
        return FactorShown(sign, value, 0.5, True, 0.1, 0.1, basis, "do this")

    assert reason_of(factor(Sign.ACCURACY, 0.333), ENGLISH) == "33 % right"
    assert reason_of(factor(Sign.INACTIVITY, 8), ENGLISH) == "8 days away"
    assert reason_of(factor(Sign.INACTIVITY, None, FactorBasis.NEVER), ENGLISH) == "Never handed in"
    assert reason_of(factor(Sign.COMPLETION, 0.1), ENGLISH) == "10 % of the path mastered"
    assert reason_of(factor(Sign.WEAKNESSES, 6), ENGLISH) == "6 weak topics"


def test_a_chart_is_a_table_as_well() -> None:
    sums = RiskSums(5, 2, (3, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0), (2, 2, 0, 1))
    assert by_score(sums, ENGLISH).rows[7] == ("0.7", "2")
    assert by_score(sums, ENGLISH).description == "2 of 5 learners have a risk of 0.6 or more."
    assert [value for _, value in by_sign(sums, ENGLISH).rows] == ["2", "2", "0", "1"]


def test_names_below_a_chart_are_cut_to_their_place() -> None:
    chart = drawn("", "", {"a name far too long for its place": 1, **dict.fromkeys("bcdef", 1)}, ENGLISH)
    [first, *_] = chart.chart.frame.labels
    assert first.lines[0].endswith("…")
    assert chart.rows[0][0] == "a name far too long for its place"


def test_a_question_that_discriminates_better_stands_higher() -> None:
    assert height_of(-1.0) > height_of(0.0) > height_of(0.5) > height_of(1.0)


def career(name: str, learners: int) -> Career:
    return Career(name, name, True, learners, 0.1, learners, 0.3, 0, 0.0, (learners, 0, 0, 0, 0), 0, 0, ())


def test_careers_of_one_title_are_two_bars_and_two_rows() -> None:
    chart = careers_chart([replace(career("a", 3), title="Web"), replace(career("b", 5), title="Web")], ENGLISH)
    assert [lane.count.lines for lane in chart.chart.lanes] == [("3",), ("5",)]
    assert chart.rows == (("Web", "3"), ("Web", "5"))


def test_of_many_careers_the_picture_has_the_greatest_in_their_order_and_the_table_all() -> None:
    many = [career(f"c{number:02}", 1 + number % 7) for number in range(50)]
    chart = careers_chart(many, ENGLISH)
    shown = [lane.name.lines[0] for lane in chart.chart.lanes]
    assert (len(shown), shown, len(chart.rows)) == (20, sorted(shown), 50)
    assert {one.title for one in many if one.learners >= 6} <= set(shown)
