"""Template feedback, written outside of any event loop."""

from typing import Final

from pipeline.llm.template import TemplateProvider
from pipeline.model import Work
from pipeline.prompting.feedback import Feedback
from pipeline.stages.feedback import outcome_of, request_of
from pipeline.stages.outcome import Body

PROVIDER: Final = TemplateProvider()


def feedback_body(work: Work) -> Body:
    """The feedback on a scored submission, as it is stored."""
    return outcome_of(_finished(work)).body  # type: ignore[union-attr] # templates never ask for a retry


def _finished(work: Work) -> Feedback:
    """What the provider writes: it awaits nothing, so the first step of its coroutine is the last."""
    writing = PROVIDER.write(request_of(work))
    try:
        writing.send(None)
    except StopIteration as end:
        feedback: Feedback = end.value
        return feedback
    raise RuntimeError("the template provider waited for something")
