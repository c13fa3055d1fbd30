"""What a learner should do next, worked out of the present state whenever somebody asks."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from pipeline.curriculum.naming import topic_names
from pipeline.learning.candidate import primary_language
from pipeline.learning.mix import Plan
from pipeline.learning.selection import Barred
from pipeline.model import LearnerContext
from pipeline.ports.advising import AdvisingStore, Basis, Latest
from pipeline.service.access import Principal
from pipeline.service.advice import Advice, shown
from pipeline.service.learner import Learners
from pipeline.stages.advising import Occasion, advise

MOST_QUESTIONS: Final = 50
NOTHING_YET: Final = Latest("", (), "", LearnerContext())


class Recommendations(Advice, frozen=True, kw_only=True):
    """What to do next, from all that is known at `advised_at`; the same for the same state all through a UTC day.

    `submission_id` is the learner's latest submission, whose questions come again only where nothing else is left.
    """

    learner_id: str
    submission_id: str | None
    advised_at: datetime


class Advising:
    """Advises learners; raises `NotFound` for one the caller does not know or may not see."""

    def __init__(
        self,
        store: AdvisingStore,
        learners: Learners,
        *,
        plan: Plan,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._learners = learners
        self._plan = plan
        self._clock = clock

    async def recommendations(
        self, principal: Principal, learner_id: str, *, count: int | None = None, locale: str | None = None
    ) -> Recommendations:
        """Advice for this moment: `count` questions (as set, unless told), reasons in the language of `locale`."""
        await self._learners.require(principal, learner_id)
        basis = await self._store.basis(principal.tenant_id, learner_id)
        now = self._clock()
        plan = self._plan if count is None else msgspec.structs.replace(self._plan, count=count)
        occasion = occasion_for(basis, learner_id, now, locale)
        found, language = advise(basis.bank, basis.guide, basis.skills, occasion, plan), occasion.context.locale
        topics = {one.topic for one in found.questions} | {one.topic for one in found.resources}
        advice = shown(found, language, topic_names(basis.guide.curriculum, topics, language))
        return Recommendations(
            **{name: getattr(advice, name) for name in Advice.__struct_fields__},
            learner_id=learner_id,
            submission_id=basis.latest.submission_id if basis.latest else None,
            advised_at=now,
        )


def occasion_for(basis: Basis, learner_id: str, now: datetime, locale: str | None) -> Occasion:
    """The occasion of a learner who asks at `now`; `locale` goes before what the latest submission says."""
    latest = basis.latest or NOTHING_YET
    context = LearnerContext(locale or latest.context.locale, basis.career_goal, latest.context.industry)
    right = frozenset(basis.recent_correct)
    return Occasion(
        now=now,
        seed=f"{learner_id}/{now.astimezone(UTC).date()}",
        language=latest.language or primary_language((context.locale or "en").replace("_", "-")),
        barred=Barred(excluded=right, postponed=frozenset(latest.question_ids) - right),
        context=context,
    )
