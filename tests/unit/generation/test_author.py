"""Feedback on a submission: what a model is asked, what the learner reads, and what happens where no model writes."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from pipeline.exchange import Arm, Experiment, Place, Purpose, Route
from pipeline.generation.assignment import Unwritten, Written
from pipeline.generation.author import Author, Quota, Taste, Waiting
from pipeline.generation.flight import Wish
from pipeline.llm.template import TemplateProvider
from pipeline.model import Answer, AnswerScore, JsonValue, Outcome, Question, ScoredAnswer
from pipeline.ports.experiment import ServedAnswer
from pipeline.ports.generation import Background, Learning, Policy
from pipeline.prompting.feedback import FeedbackRequest, LearnerPicture, Source
from tests.contracts.fakes.ledger import FakeLedger

CLOUD = Route("openai", "openai", "model-1", "account-1")
HOUSE = Route("ollama", "openai", "model-2", "account-2", place=Place.LOCAL)
GOOD = {
    "right": "You saw that it repeats.",
    "quotation": "it repeats",
    "misconception": "It ends when the list ends, not before.",
    "next_step": "Write one loop over a list of three numbers.",
    "summary": "Look at where a loop ends.",
}
NOTHING_SAID = {"right": "", "quotation": "", "misconception": "", "next_step": "", "summary": ""}


@dataclass
class Flown:
    """Gives each wish what it was told to, and remembers them; `begun` is what a model had written by then.

    Who is to be asked for a text asks for leave first.
    """

    replies: list[Written | Unwritten]
    wishes: list[Wish] = field(default_factory=list)
    begun: str = ""
    landings: list[Wish] = field(default_factory=list)
    may_land: asyncio.Event = field(default_factory=asyncio.Event)

    async def heard(self, wish: Wish) -> Written | Unwritten:
        self.wishes.append(wish)
        if self.begun and wish.telling is not None:
            await wish.telling.piece(self.begun)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        paid_before = isinstance(reply, Written) and not reply.paid
        refusal = await wish.may_ask() if wish.may_ask is not None and not paid_before else None
        return refusal or reply

    async def landed(self, wish: Wish) -> None:
        self.landings.append(wish)
        await self.may_land.wait()


class Around:
    """Backgrounds of every submission but those that are gone."""

    def __init__(self, background: Background | None) -> None:
        self.background = background

    async def of(self, learning: Learning) -> Background | None:
        assert learning.tenant_id == 1
        return self.background


class Allowing:
    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    async def of(self, tenant_id: int) -> Policy:
        assert tenant_id == 1
        return self.policy


@dataclass
class Shown:
    """What was told while it was written, by question."""

    texts: dict[str, str] = field(default_factory=dict)

    async def tell(
        self, submission_id: str, tenant_id: int, question_id: str, text: str, *, after: str = "", whole: bool = False
    ) -> None:
        assert (submission_id, tenant_id) == ("s", 1)
        assert self.texts.get(question_id, "") == after
        self.texts[question_id] = after + text
        assert not whole or text

    async def restart(self, submission_id: str, tenant_id: int, question_id: str) -> None:
        assert (submission_id, tenant_id) == ("s", 1)
        self.texts[question_id] = ""


@dataclass
class Remembered:
    """Who was assigned what, as it was last noted of each question."""

    served: dict[str, ServedAnswer] = field(default_factory=dict)

    async def record(self, served: Sequence[ServedAnswer]) -> None:
        assert all((one.tenant_id, one.submission_id) == (1, "s") for one in served)
        self.served |= {one.question_id: one for one in served}


@dataclass
class Few:
    """A quota of so many."""

    left: int

    async def take(self, tenant_id: int, learner_id: str) -> bool:
        assert (tenant_id, learner_id) == (1, "ann")
        self.left -= 1
        return self.left >= 0


def written(reply: dict[str, str] | None = None, *, paid: bool = True) -> Written:
    return Written(json.dumps(reply or GOOD), "openai", "model-1", "feedback/personalized/en@1", paid=paid)


class Study:
    """An author, and all that stands around it."""

    def __init__(
        self,
        *replies: Written | Unwritten,
        policy: Policy | None = None,
        routes: Sequence[Route] = (CLOUD, HOUSE),
        metadata: dict[str, JsonValue] | None = None,
        gone: bool = False,
        experiments: Sequence[Experiment] = (),
        quota: Quota | None = None,
        taste: Taste | None = None,
        halfprice: Waiting | None = None,
        priority: str = "normal",
    ) -> None:
        self.flown, self.ledger, self.shown = Flown(list(replies) or [written()]), FakeLedger(), Shown()
        self.flown.may_land.set()
        self.recorded = Remembered()
        self.author = Author(
            templates=TemplateProvider(),
            flights=self.flown,
            policies=Allowing(policy or Policy()),
            backgrounds=Around(
                None if gone else Background(LearnerPicture(level="beginner"), metadata or {}, "secret", priority)
            ),
            ledger=self.ledger,
            deltas=self.shown,
            assignments=self.recorded,
            routes=routes,
            experiments=experiments,
            quota=quota,
            taste=taste,
            halfprice=halfprice,
        )

    @property
    def prompts(self) -> list[str]:
        return [wish.assignment.prompt.user for wish in self.flown.wishes]


def scored(response: JsonValue, outcome: Outcome = Outcome.INCORRECT, *, id_: str = "loops") -> ScoredAnswer:
    question = Question(id_, 1, "short_text", "What does a loop do?", {"accepted": ["repeat"]}, topics=("history",))
    fraction = {Outcome.CORRECT: 1.0, Outcome.PARTIAL: 0.5}.get(outcome, 0.0)
    return ScoredAnswer(Answer(question, response), AnswerScore(outcome, fraction, fraction, 1.0, "short_text/1"))


def request(*answers: ScoredAnswer, locale: str = "en") -> FeedbackRequest:
    return FeedbackRequest(1, "s", locale, answers, learner_id="ann")


WRONG = scored("it repeats until I stop it")


async def test_what_a_model_wrote_stands_behind_the_rules_verdict() -> None:
    feedback = await Study().author.write(request(WRONG))
    [answer] = feedback.answers
    assert answer.text.startswith("Not right.\n\nYou saw that it repeats.")
    assert (answer.source, answer.provider, answer.model) == (Source.AI, "openai", "model-1")
    assert (feedback.source, feedback.shortfall) == (Source.AI, None)
    assert feedback.summary.endswith("Look at where a loop ends.")


async def test_the_end_of_a_text_is_told_while_it_is_settled_and_used_after_that() -> None:
    study = Study()
    study.flown.may_land.clear()
    writing = asyncio.create_task(study.author.write(request(WRONG)))
    while not study.flown.landings:  # noqa: ASYNC110 - the author comes to it by itself
        await asyncio.sleep(0)
    told = dict(study.shown.texts)
    assert not writing.done()
    study.flown.may_land.set()
    assert {"loops": (await writing).answers[0].text} == told
    assert study.flown.landings == study.flown.wishes


async def test_a_blank_answer_is_never_sent_and_never_praised() -> None:
    study = Study()
    feedback = await study.author.write(
        request(scored("  \u200b", Outcome.INCORRECT), scored(None, Outcome.UNANSWERED))
    )
    assert study.flown.wishes == []
    assert (feedback.source, feedback.shortfall) == (Source.TEMPLATE, None)


async def test_answers_that_no_model_is_asked_about_keep_the_built_in_words() -> None:
    feedback = await Study().author.write(request(WRONG, scored(None, Outcome.UNANSWERED, id_="lists")))
    assert [answer.source for answer in feedback.answers] == [Source.AI, Source.TEMPLATE]
    assert (feedback.source, feedback.shortfall) == (Source.MIXED, None)


async def test_only_mistakes_are_sent_where_that_is_the_taste() -> None:
    study = Study(taste=Taste("mistakes"))
    await study.author.write(request(scored("repeat", Outcome.CORRECT), WRONG))
    assert len(study.flown.wishes) == 1


async def test_where_no_model_wrote_the_built_in_words_serve_and_say_so() -> None:
    feedback = await Study(Unwritten("providers_failed")).author.write(request(WRONG))
    assert (feedback.source, feedback.shortfall) == (Source.TEMPLATE, "providers_failed")
    assert feedback.summary.endswith("because the AI could not be reached.")


async def test_what_was_shown_of_a_text_that_nobody_finished_is_taken_back() -> None:
    """What is stored is the template's, and nobody is to believe the beginning of another."""
    study = Study(Unwritten("providers_failed"))
    study.flown.begun = json.dumps(GOOD)[:-2]
    await study.author.write(request(WRONG))
    assert study.shown.texts == {"loops": ""}


async def test_the_notice_speaks_the_learners_language() -> None:
    feedback = await Study(Unwritten("tenant_budget_spent")).author.write(request(WRONG, locale="ko-KR"))
    assert "AI 예산" in feedback.summary


async def test_one_failed_answer_costs_only_that_one() -> None:
    study = Study(written(), Unwritten("deadline"))
    feedback = await study.author.write(request(WRONG, scored("it repeats", id_="lists")))
    assert [answer.source for answer in feedback.answers] == [Source.AI, Source.TEMPLATE]
    assert feedback.shortfall == "deadline"


async def test_a_kept_reply_that_will_not_do_any_more_is_not_shown() -> None:
    feedback = await Study(written(NOTHING_SAID, paid=False)).author.write(request(WRONG))
    assert (feedback.source, feedback.shortfall) == (Source.TEMPLATE, "unreadable_reply")


async def test_a_tenant_without_ai_gets_all_that_it_asked_for() -> None:
    study = Study(policy=Policy("off"))
    feedback = await study.author.write(request(WRONG))
    assert (study.flown.wishes, feedback.source, feedback.shortfall) == ([], Source.TEMPLATE, None)


async def test_a_tenant_that_stays_in_the_house_never_reaches_a_cloud() -> None:
    study = Study(policy=Policy("local"))
    await study.author.write(request(WRONG))
    assert study.flown.wishes[0].assignment.routes == (HOUSE,)


async def test_without_a_model_in_the_house_nothing_is_sent() -> None:
    study = Study(policy=Policy("local"), routes=[CLOUD])
    feedback = await study.author.write(request(WRONG))
    assert (study.flown.wishes, feedback.shortfall) == ([], None)


async def test_an_erased_submission_is_written_about_by_nobody() -> None:
    study = Study(gone=True)
    await study.author.write(request(WRONG))
    assert study.flown.wishes == []


async def test_who_had_enough_for_now_gets_the_built_in_words() -> None:
    feedback = await Study(quota=Few(0)).author.write(request(WRONG))
    assert (feedback.source, feedback.shortfall) == (Source.TEMPLATE, "learner_limit")


async def test_what_was_paid_for_before_is_served_to_who_had_enough_for_now() -> None:
    """A stage that is repeated, a reply of another learner's, one that came with a batch: none costs anything."""
    quota = Few(0)
    feedback = await Study(written(paid=False), quota=quota).author.write(request(WRONG))
    assert (feedback.source, quota.left) == (Source.AI, 0)


async def test_a_submission_counts_once_however_many_texts_it_needs() -> None:
    quota = Few(1)
    feedback = await Study(quota=quota).author.write(request(WRONG, scored("it repeats", id_="lists")))
    assert ([answer.source for answer in feedback.answers], quota.left) == ([Source.AI] * 2, 0)


async def test_private_things_stay_here_and_are_back_in_the_text() -> None:
    study = Study(
        written({**GOOD, "right": "You told [name-1] and [email-1] that it repeats."}), metadata={"name": "Ann Boleyn"}
    )
    mine = scored("it repeats, says Ann Boleyn, ann@example.org")
    feedback = await study.author.write(request(mine))
    assert "ann@example.org" not in study.prompts[0]
    assert "Boleyn" not in study.prompts[0]
    assert "You told Ann Boleyn and ann@example.org that it repeats." in feedback.answers[0].text


async def test_no_prompt_holds_the_learners_id() -> None:
    study = Study()
    await study.author.write(request(WRONG))
    [wish] = study.flown.wishes
    assert "ann" not in wish.assignment.prompt.system + wish.assignment.prompt.user
    assert wish.assignment.user != "ann"
    assert len(wish.assignment.user) == 32


async def test_learners_with_the_same_answer_share_a_request_but_no_fence() -> None:
    one, other = Study(), Study()
    await one.author.write(request(WRONG))
    await other.author.write(request(WRONG))
    [first], [second] = one.flown.wishes, other.flown.wishes
    assert first.wanted.key == second.wanted.key
    assert first.assignment.prompt.user != second.assignment.prompt.user


async def test_what_was_written_is_what_was_shown_at_the_end() -> None:
    study = Study()
    feedback = await study.author.write(request(WRONG))
    assert study.shown.texts == {"loops": feedback.answers[0].text}


async def test_a_reply_that_was_paid_for_before_is_counted_as_served() -> None:
    study = Study(written(paid=False))
    await study.author.write(request(WRONG))
    assert dict(study.ledger.served) == {(1, None, Purpose.FEEDBACK, "openai"): 1}


async def test_an_arm_decides_who_is_asked_first_and_shares_with_nobody() -> None:
    arms = (Arm("house", 1.0, provider="ollama", prompt="feedback/encouragement"), Arm("never", 0.0))
    study, plain = Study(experiments=[Experiment("where", arms)]), Study()
    await study.author.write(request(WRONG))
    await plain.author.write(request(WRONG))
    assignment = study.flown.wishes[0].assignment
    assert (assignment.arm, assignment.routes[0]) == ("where/house", HOUSE)
    assert assignment.prompt.reference.startswith("feedback/encouragement/")
    assert study.flown.wishes[0].wanted.key != plain.flown.wishes[0].wanted.key


class Post:
    """Lets each wish wait for so long, in turn."""

    def __init__(self, *seconds: float | None) -> None:
        self.seconds, self.offered, self.anew = list(seconds), list[Wish](), list[bool]()

    async def offer(self, wish: Wish, *, anew: bool) -> float | None:
        self.offered.append(wish)
        self.anew.append(anew)
        return self.seconds.pop(0)


PATIENT = Policy(batch=True)


async def test_a_submission_of_low_priority_waits_for_the_last_of_its_texts() -> None:
    post = Post(None, 60.0, 30.0)
    study = Study(policy=PATIENT, halfprice=post, priority="low")
    answers = [scored(f"it repeats {number} times", id_=f"q-{number}") for number in range(3)]
    assert await study.author.waits(request(*answers)) == 60.0
    assert len({wish.wanted.key for wish in post.offered}) == 3
    assert study.flown.wishes == []


async def test_what_waited_is_the_very_wish_that_is_asked_for_afterwards() -> None:
    post = Post(None)
    study = Study(policy=PATIENT, halfprice=post, priority="low")
    assert await study.author.waits(request(WRONG)) == 0.0
    await study.author.write(request(WRONG))
    assert study.flown.wishes[0].wanted == post.offered[0].wanted


@pytest.mark.parametrize("batch", [True, False])
async def test_where_the_tenant_wants_no_batches_only_what_was_sent_is_waited_for(*, batch: bool) -> None:
    post = Post(60.0)
    study = Study(policy=Policy(batch=batch), halfprice=post, priority="low")
    assert await study.author.waits(request(WRONG)) == 60.0
    assert post.anew == [batch]


async def test_nobody_waits_who_is_in_a_hurry_or_whose_tenant_did_not_ask_for_it() -> None:
    for study in (
        Study(policy=PATIENT, halfprice=Post(), priority="normal"),
        Study(policy=Policy(), halfprice=Post(None), priority="low"),
        Study(policy=PATIENT, priority="low"),
        Study(policy=PATIENT, halfprice=Post(), priority="low", gone=True),
    ):
        assert await study.author.waits(request(WRONG)) == 0.0
    blank = Study(policy=PATIENT, halfprice=Post(), priority="low")
    assert await blank.author.waits(request(scored(None, Outcome.UNANSWERED))) == 0.0


ARMS = (Arm("cloud", 1.0, "openai"), Arm("house", 1.0, "ollama"))


async def test_an_experiment_notes_the_arm_and_who_wrote_in_the_end() -> None:
    """A retried stage says the same again; where no model wrote, the template is noted in its place."""
    study = Study(written(), Unwritten("providers_failed"), experiments=[Experiment("where", ARMS)])
    answers = request(WRONG, scored("no idea", id_="lists"))
    await study.author.write(answers)
    served = study.recorded.served
    arm = served["loops"].arm
    assert arm in {"cloud", "house"}
    assert {(id_, one.experiment, one.arm, one.source, one.served_provider) for id_, one in served.items()} == {
        ("loops", "where", arm, "ai", "openai"),
        ("lists", "where", arm, "template", None),
    }


async def test_whoever_may_have_no_more_written_is_noted_in_the_arm_all_the_same() -> None:
    study = Study(quota=Few(0), experiments=[Experiment("where", ARMS)])
    await study.author.write(request(WRONG))
    assert [one.source for one in study.recorded.served.values()] == ["template"]


async def test_outside_of_experiments_nothing_is_noted() -> None:
    study = Study()
    await study.author.write(request(WRONG))
    assert study.recorded.served == {}
