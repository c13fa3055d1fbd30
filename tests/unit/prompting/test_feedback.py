import pytest

from pipeline.prompting.feedback import AnswerFeedback, Source, overall_source


def by(source: Source) -> AnswerFeedback:
    return AnswerFeedback("q", "text", source, "someone", None, "x/en@1")


@pytest.mark.parametrize(
    ("sources", "overall"),
    [
        ([], Source.TEMPLATE),
        ([Source.TEMPLATE, Source.TEMPLATE], Source.TEMPLATE),
        ([Source.AI, Source.AI], Source.AI),
        ([Source.AI, Source.TEMPLATE], Source.MIXED),
    ],
)
def test_a_whole_is_mixed_only_where_its_answers_differ(sources: list[Source], overall: Source) -> None:
    assert overall_source(tuple(map(by, sources))) is overall
