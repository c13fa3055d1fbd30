"""Every route there is, who may call it, and what a key of another tenant gets to see of it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from pipeline.curriculum.entry import PARTS
from pipeline.service.access import Role

ANYBODY: Final = frozenset(Role)
READERS: Final = ANYBODY - {Role.VIEWER, Role.REVIEWER}
KEYS: Final = READERS - {Role.LEARNER}
RATERS: Final = READERS - {Role.OPERATOR}
SUBMITTERS: Final = frozenset({Role.SUBMITTER, Role.TEACHER})
TEACHERS: Final = frozenset({Role.TEACHER})
OPERATORS: Final = frozenset({Role.OPERATOR})
ANALYSTS: Final = frozenset({Role.TEACHER, Role.VIEWER, Role.REVIEWER})
SETTLERS: Final = frozenset({Role.TEACHER, Role.REVIEWER})
LEARNING: Final = frozenset({Role.TEACHER, Role.LEARNER})


class Foreign(StrEnum):
    """What comes back for another tenant's things."""

    NOT_FOUND = "404"
    UNKNOWN = "422, as for a name that nothing has"
    EMPTY = "an empty list"
    OWN = "an answer about one's own things or none"
    PUBLIC = "the same as for everybody, without a key"


class Route(msgspec.Struct, frozen=True):
    """One route; `{name}` in its path stands for another tenant's id, and the body names such ids too."""

    method: str
    path: str
    roles: frozenset[Role]
    foreign: Foreign
    body: Any = None
    query: str = ""
    content_type: str = "application/json"


PUBLIC: Final = [
    Route("GET", path, ANYBODY, Foreign.PUBLIC)
    for path in ("/", "/health", "/health/live", "/health/ready", "/schema", "/schema/openapi.json")
]

THEIR_ANSWERS: Final = {"learner_id": "{learner_id}", "answers": [{"question_id": "{question_id}", "response": "a"}]}

SUBMISSIONS: Final = [
    Route("POST", "/v1/submissions", SUBMITTERS, Foreign.OWN, THEIR_ANSWERS),
    Route("POST", "/v1/submissions/batch", SUBMITTERS, Foreign.OWN, [THEIR_ANSWERS]),
    Route("GET", "/v1/submissions", READERS, Foreign.EMPTY),
    Route("GET", "/v1/submissions/{submission_id}", READERS, Foreign.NOT_FOUND),
    Route("GET", "/v1/submissions/{submission_id}/events", READERS, Foreign.NOT_FOUND),
    Route("POST", "/v1/submissions/{submission_id}/cancel", KEYS, Foreign.NOT_FOUND),
    Route("POST", "/v1/submissions/{submission_id}/retry", KEYS, Foreign.NOT_FOUND),
    Route(
        "POST",
        "/v1/submissions/{submission_id}/feedback/{question_id}/rating",
        RATERS,
        Foreign.NOT_FOUND,
        {"rating": 3},
    ),
    Route("GET", "/v1/submissions/{submission_id}/answers/{question_id}", SETTLERS, Foreign.NOT_FOUND),
    Route(
        "PUT",
        "/v1/submissions/{submission_id}/answers/{question_id}/settlement",
        SETTLERS,
        Foreign.NOT_FOUND,
        {"points": 1},
    ),
]

QUESTION: Final = {"type": "true_false", "prompt": "Is it?", "answer": {"value": True}}

QUESTIONS: Final = [
    Route("PUT", "/v1/questions/{question_id}", TEACHERS, Foreign.OWN, QUESTION),
    Route("GET", "/v1/questions/{question_id}", TEACHERS, Foreign.NOT_FOUND),
    Route("GET", "/v1/questions", TEACHERS, Foreign.EMPTY),
    Route("POST", "/v1/questions/import", TEACHERS, Foreign.OWN, [{"id": "{question_id}", **QUESTION}]),
]

THEIR_MODULE: Final = {"id": "{module_id}", "title": "A module", "difficulty": 1, "hours": 1}

CURRICULUM: Final = [
    Route("GET", "/v1/curriculum/categories", READERS, Foreign.EMPTY),
    Route("GET", "/v1/curriculum/categories/{category_id}/tracks", READERS, Foreign.NOT_FOUND),
    Route("GET", "/v1/curriculum/tracks/{track_id}/modules", READERS, Foreign.NOT_FOUND),
    Route("GET", "/v1/curriculum/modules/{module_id}", READERS, Foreign.NOT_FOUND),
    Route("GET", "/v1/curriculum/recommend-path", READERS, Foreign.UNKNOWN, query="?category={category_id}"),
    *(
        Route("DELETE", f"/v1/curriculum/{part}/{{{kind}_id}}", TEACHERS, Foreign.NOT_FOUND)
        for kind, part in PARTS.items()
    ),
    Route("POST", "/v1/curriculum/import", TEACHERS, Foreign.OWN, {"modules": [THEIR_MODULE]}),
]

LEARNERS: Final = [
    Route("GET", "/v1/learners/{learner_id}/skills", LEARNING, Foreign.NOT_FOUND),
    Route("GET", "/v1/learners/{learner_id}/progress", LEARNING, Foreign.NOT_FOUND),
    Route("GET", "/v1/learners/{learner_id}/recommendations", LEARNING, Foreign.NOT_FOUND),
    Route("GET", "/v1/learners/{learner_id}/report", LEARNING, Foreign.NOT_FOUND),
    Route("GET", "/v1/learners/{learner_id}/goals", LEARNING, Foreign.NOT_FOUND),
    Route("PUT", "/v1/learners/{learner_id}/goals", SUBMITTERS, Foreign.OWN, {"weekly_answers": 9}),
    Route("GET", "/v1/learners/{learner_id}/export", TEACHERS, Foreign.NOT_FOUND),
    Route("DELETE", "/v1/learners/{learner_id}", TEACHERS, Foreign.NOT_FOUND),
    Route("POST", "/v1/learners/{learner_id}/token", SUBMITTERS, Foreign.OWN),
]

THEIR_MEMBERS: Final = {"learner_ids": ["{learner_id}"]}

GROUPS: Final = [
    Route("GET", "/v1/groups", ANALYSTS, Foreign.EMPTY),
    Route("GET", "/v1/groups/{group_id}", ANALYSTS, Foreign.NOT_FOUND),
    Route("DELETE", "/v1/groups/{group_id}", TEACHERS, Foreign.NOT_FOUND),
    Route("GET", "/v1/groups/{group_id}/members", ANALYSTS, Foreign.NOT_FOUND),
    Route("PUT", "/v1/groups/{group_id}/members", TEACHERS, Foreign.NOT_FOUND, THEIR_MEMBERS),
    Route("DELETE", "/v1/groups/{group_id}/members", TEACHERS, Foreign.NOT_FOUND, THEIR_MEMBERS),
    Route("PUT", "/v1/groups/{group_id}", TEACHERS, Foreign.OWN, {"name": "ours"}),
]

ANALYTICS: Final = [
    Route("GET", "/v1/analytics/at-risk", ANALYSTS, Foreign.OWN),
    Route("GET", "/v1/analytics/careers", ANALYSTS, Foreign.OWN),
    Route("GET", "/v1/analytics/items", ANALYSTS, Foreign.EMPTY),
    Route("GET", "/v1/analytics/items/{question_id}", ANALYSTS, Foreign.NOT_FOUND),
]

THEIR_DEAD: Final = {"ids": ["{submission_id}"], "reason": "because"}

PAGE_TOKENS: Final = [Route("POST", "/v1/pages/token", TEACHERS, Foreign.OWN)]

TEACHER_PAGES: Final = {
    ("GET", "/pages/teacher"),
    ("GET", "/pages/teacher/careers"),
    ("GET", "/pages/teacher/items"),
    ("GET", "/pages/teacher/items/{question_id}"),
}
"""Held to roles and tenants in tests/api/test_teacher_pages.py."""

REVIEW_PAGES: Final = {
    ("GET", "/pages/teacher/review"),
    ("GET", "/pages/teacher/review/answer"),
    ("POST", "/pages/teacher/review/answer"),
}
"""Held to roles and tenants in tests/api/test_review_pages.py."""

PAGES: Final = {("GET", "/pages/enter"), ("GET", "/pages/learner"), *TEACHER_PAGES, *REVIEW_PAGES}
"""What takes a cookie in place of a key, and answers with pages: held to the same in tests/api/test_pages.py."""

OPERATIONS: Final = [
    Route("GET", "/metrics", OPERATORS, Foreign.OWN),
    Route("GET", "/v1/ops/queues", OPERATORS, Foreign.OWN),
    Route("POST", "/v1/ops/queues/{stage}/pause", OPERATORS, Foreign.OWN, {"reason": "because"}),
    Route("POST", "/v1/ops/queues/{stage}/resume", OPERATORS, Foreign.OWN, {"reason": "because"}),
    Route("GET", "/v1/ops/dead", OPERATORS, Foreign.EMPTY),
    Route("POST", "/v1/ops/dead/retry", OPERATORS, Foreign.OWN, THEIR_DEAD),
    Route("POST", "/v1/ops/dead/discard", OPERATORS, Foreign.OWN, THEIR_DEAD),
    Route("GET", "/v1/ops/workers", OPERATORS, Foreign.OWN),
    Route("GET", "/v1/ops/audit", OPERATORS, Foreign.EMPTY),
    Route("GET", "/v1/ops/jobs", OPERATORS, Foreign.OWN),
    Route("POST", "/v1/ops/jobs/{job}/run", OPERATORS, Foreign.OWN, {"reason": "because"}),
    Route("GET", "/v1/ops/llm", OPERATORS, Foreign.OWN),
    Route("GET", "/v1/ops/llm/policy", OPERATORS, Foreign.OWN),
    Route("PUT", "/v1/ops/llm/policy", OPERATORS, Foreign.OWN, {"mode": "local"}),
    Route("GET", "/v1/keys", OPERATORS, Foreign.OWN),
    Route("POST", "/v1/keys", OPERATORS, Foreign.OWN, {"name": "another", "role": "submitter"}),
    Route("DELETE", "/v1/keys/{key_id}", OPERATORS, Foreign.NOT_FOUND),
]

WEBHOOKS: Final = [
    Route("POST", "/v1/webhooks", KEYS, Foreign.OWN, {"url": "https://example.org/", "events": ["submission.failed"]}),
    Route("GET", "/v1/webhooks", KEYS, Foreign.EMPTY),
    Route("DELETE", "/v1/webhooks/{webhook_id}", KEYS, Foreign.NOT_FOUND),
    Route("POST", "/v1/webhooks/callback-secret", KEYS, Foreign.OWN),
    Route("GET", "/v1/webhooks/deliveries", KEYS, Foreign.EMPTY),
    Route("POST", "/v1/webhooks/deliveries/{delivery_id}/redeliver", KEYS, Foreign.NOT_FOUND),
]

OFFICE: Final = frozenset({Role.TEACHER, Role.OPERATOR})

GENERATIONS: Final = [
    Route("POST", "/v1/generate/summary", OFFICE, Foreign.OWN, {"text": "a text"}),
    Route("POST", "/v1/generate/questions", OFFICE, Foreign.OWN, {"text": "a text", "count": 1}),
    Route("GET", "/v1/generate", OFFICE, Foreign.EMPTY),
    Route("GET", "/v1/generate/{generation_id}", OFFICE, Foreign.NOT_FOUND),
    Route("POST", "/v1/generate/{generation_id}/cancel", OFFICE, Foreign.NOT_FOUND),
    Route("POST", "/v1/generate/{generation_id}/accept", TEACHERS, Foreign.NOT_FOUND, {"ids": ["{generation_id}-1"]}),
]

ROUTES: Final = [
    *PUBLIC,
    *SUBMISSIONS,
    *QUESTIONS,
    *CURRICULUM,
    *LEARNERS,
    *GROUPS,
    *ANALYTICS,
    *PAGE_TOKENS,
    *OPERATIONS,
    *WEBHOOKS,
    *GENERATIONS,
]


def filled(template: Any, ids: Mapping[str, str]) -> Any:
    """A path or body with these ids in the places of their names."""
    if isinstance(template, str):
        for name, value in ids.items():
            template = template.replace("{" + name + "}", value)
        return template
    if isinstance(template, dict):
        return {name: filled(value, ids) for name, value in template.items()}
    if isinstance(template, list):
        return [filled(item, ids) for item in template]
    return template
