"""`gradeline prompts`: the versioned texts, and what exactly a model would be sent for an answer."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from cli.ndjson import BadLine, Line, opened, read_lines
from cli.output import print_json, print_table
from pipeline.errors import EnvironmentFault, InvalidInput

if TYPE_CHECKING:
    from pipeline.exchange import Prompt
    from pipeline.model import Question
    from pipeline.prompting.feedback import FeedbackRequest

CHOICES: Final = ("personalized", "weakness_focused", "encouragement", "project_suggestion")


class Sent(NamedTuple):
    """What would be sent for one answer, and what stands for it in the journal, in hex."""

    question_id: str
    outcome: str
    prompt: "Prompt"
    key: str


@click.group()
def prompts() -> None:
    """List the texts of feedback, and show what a model would be sent.

    \b
    Example:
      gradeline prompts render questions.ndjson --question py-range --response a
    """


@prompts.command("list")
@click.option("--json", "as_json", is_flag=True, help="Answer with a JSON array.")
def list_(as_json: bool) -> None:
    """List all texts, each with its version and what it is for.

    \b
    Example:
      gradeline prompts list
    """
    from prompts.catalog import every

    rows = [
        {
            "id": text.id,
            "language": text.language,
            "version": text.version,
            "schema": text.schema,
            "purpose": text.purpose,
        }
        for text in every()
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("text", "language", "version", "reply", "purpose"), [[v or "" for v in row.values()] for row in rows]
        )


@prompts.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--question", "question_id", help="The question's id; may be left out where the file has only one.")
@click.option("--response", help="The answer, as text or as JSON.")
@click.option(
    "--submissions", type=click.Path(path_type=Path), help="Instead: submissions to take answers from, NDJSON."
)
@click.option("--prompt", "chosen", type=click.Choice(CHOICES), help="Which prompt.  [default: chosen by rule]")
@click.option("--locale", help="Language of the feedback.  [default: the question's]")
@click.option("--level", help="The learner's level, in a word.")
@click.option(
    "--accuracy", type=click.FloatRange(0, 1), help="The share of the learner's latest answers that was right."
)
@click.option("--weakness", "weaknesses", multiple=True, help="A topic that was hard lately; may be repeated.")
@click.option("--career-goal", help="What the learner works towards.")
@click.option("--industry", help="The learner's field of work.")
@click.option("--name", "names", multiple=True, help="A name of the learner, to be taken out; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per prompt.")
def render(
    file: Path,
    question_id: str | None,
    response: str | None,
    submissions: Path | None,
    chosen: str | None,
    as_json: bool,
    names: tuple[str, ...],
    **learner: Any,
) -> None:
    """Show what exactly a model would be sent for an answer.

    FILE has questions, one JSON object per line (`-`: standard input). Nothing is sent and no server is
    needed: the answer is scored by its rule, and what is private in it is taken out, as a worker does it.
    Only the word between the fences is another one each time. With --submissions the answers come from a
    file, those that a model would be asked about; what each line says of its learner counts.

    \b
    Example:
      gradeline prompts render questions.ndjson --question py-range --response a --locale ko
      gradeline prompts render questions.ndjson --submissions submissions.ndjson --json
    """
    if (response is None) == (submissions is None):
        raise click.UsageError("give either --response or --submissions")
    questions = read_questions(file)
    if submissions is None:
        requests: Iterable[FeedbackRequest] = [request_on(one_of(questions, question_id), response or "", learner)]
    else:
        requests = requests_in(submissions, questions, learner)
    shown = [sent for request in requests for sent in prompts_for(request, names, chosen)]
    for sent in shown:
        show(sent, as_json=as_json)
    if not shown:
        click.echo("no model would be asked: nothing was answered", err=True)


def read_questions(file: Path) -> "dict[str, Question]":
    """The questions of a file by id; raises `EnvironmentFault` for a line that is none."""
    from pipeline.scoring.bank import parse_question

    questions: dict[str, Question] = {}
    for line in lines_of(file):
        try:
            question = parse_question(line.value)
        except InvalidInput as error:
            reasons = "; ".join(f"{problem.pointer} {problem.detail}".strip() for problem in error.problems)
            raise EnvironmentFault(f"{file}, line {line.number}: {reasons}") from None
        questions[question.id] = question
    return questions


def lines_of(file: Path) -> Iterator[Line]:
    """The objects of a file; raises `EnvironmentFault` for a line that is none."""
    with opened(file) as source:
        for line in read_lines(source):
            if isinstance(line, BadLine):
                raise EnvironmentFault(f"{file}, line {line.number}: {line.detail}")
            yield line


def one_of(questions: "Mapping[str, Question]", question_id: str | None) -> "Question":
    """The named question, or the only one."""
    if question_id is None and len(questions) == 1:
        return next(iter(questions.values()))
    if question_id is None:
        raise click.UsageError(f"the file has {len(questions)} questions; name one with --question")
    if question_id not in questions:
        raise EnvironmentFault(f"the file has no question {question_id!r}")
    return questions[question_id]


def request_on(question: "Question", response: str, learner: Mapping[str, Any]) -> "FeedbackRequest":
    """A request about one answer."""
    return request_of({**learner, "answers": [(question, response_in(question, response))]})


def requests_in(
    file: Path, questions: "Mapping[str, Question]", learner: Mapping[str, Any]
) -> "Iterator[FeedbackRequest]":
    """A request per submission; what a line says counts before what the command line says."""
    for line in lines_of(file):
        said = {name: value for name, value in line.value.items() if value is not None}
        named = said.get("answers")
        if not isinstance(named, list) or not all(isinstance(one, dict) and "question_id" in one for one in named):
            raise EnvironmentFault(f"{file}, line {line.number}: answers must be a list of objects with question_id")
        answers = [(one_of(questions, str(one["question_id"])), one.get("response")) for one in named]
        yield request_of({**learner, **said, "answers": answers})


def request_of(told: Mapping[str, Any]) -> "FeedbackRequest":
    """The request that a worker would make of these answers, scored by their rules."""
    from pipeline.model import Answer, ScoredAnswer
    from pipeline.prompting.feedback import FeedbackRequest, LearnerPicture
    from pipeline.scoring.rule import score

    answers = tuple(
        ScoredAnswer(Answer(question, response), score(question, response)) for question, response in told["answers"]
    )
    return FeedbackRequest(
        tenant_id=0,
        submission_id="",
        locale=told.get("locale") or next((scored.answer.question.language for scored in answers), ""),
        answers=answers,
        learner=LearnerPicture(
            level=told.get("level"),
            weaknesses=tuple(told.get("weaknesses") or ()),
            recent_accuracy=told.get("accuracy"),
            career_goal=told.get("career_goal"),
            industry=told.get("industry"),
        ),
    )


def response_in(question: "Question", text: str) -> Any:
    """A response from the command line: the text itself where the question takes one, else as JSON."""
    import msgspec

    from pipeline.scoring.shape import check_response

    if not check_response(question, text):
        return text
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        value = text
    if problems := check_response(question, value):
        raise click.BadParameter("; ".join(problem.detail for problem in problems), param_hint="--response")
    return value


def prompts_for(request: "FeedbackRequest", names: tuple[str, ...], chosen: str | None) -> Iterator[Sent]:
    """The prompts of those answers that a model would be asked about."""
    from pipeline.generation.answer import errand_of, fresh_fence
    from pipeline.generation.author import Taste
    from pipeline.prompting.plan import plan
    from pipeline.prompting.render import render, request_key

    taste = Taste()
    for place in plan(request, on=taste.on, most=taste.most).asked:
        scored = request.answers[place]
        errand = errand_of(scored, request, names, f"feedback/{chosen}" if chosen else None, verdict="")
        prompt = render(errand.facts, errand.prompt_id, fence=fresh_fence())
        key = request_key(errand.facts, errand.prompt_id)
        yield Sent(errand.question_id, scored.score.outcome, prompt, key.hex())


def show(sent: Sent, *, as_json: bool) -> None:
    """A prompt in full, for people or as JSON."""
    import msgspec

    prompt = sent.prompt
    if as_json:
        whole = {
            name: getattr(prompt, name) for name in ("reference", "system", "user", "schema_name", "max_output_tokens")
        }
        whole["schema"] = dict(prompt.schema)
        print_json({"question_id": sent.question_id, "outcome": sent.outcome, "key": sent.key, **whole})
        return
    schema = msgspec.json.format(msgspec.json.encode(dict(prompt.schema))).decode()
    click.echo(
        f"{sent.question_id}: {sent.outcome}, {prompt.reference}, at most {prompt.max_output_tokens} tokens back"
    )
    for title, text in (
        ("system", prompt.system),
        ("user", prompt.user),
        (prompt.schema_name, schema),
        ("key", sent.key),
    ):
        click.echo(f"\n===== {title} =====\n{text}")
    click.echo()
