"""A summary and drafts of questions as the documentation shows them."""

from typing import Final

TEXT: Final = "Water boils at 100 °C at sea level. On a mountain it boils at less, because the air presses less."
SUMMARY_IN: Final = {"text": TEXT, "locale": "en", "audience": "14-year-olds", "length": "short"}
QUESTIONS_IN: Final = {"text": TEXT, "count": 2, "types": ["single_choice", "true_false"], "topics": ["physics.heat"]}
GENERATION_ID: Final = "019abc5e-90b2-7d41-8f0c-5b7a1e2d3c44"
SUMMARY: Final = {
    "id": GENERATION_ID,
    "kind": "summary",
    "status": "pending",
    "version": 1,
    "attempts": 0,
    "request": {"locale": "en", "audience": "14-year-olds", "length": "short", "text_chars": len(TEXT)},
    "created_at": "2026-03-02T09:00:00.000000Z",
    "updated_at": "2026-03-02T09:00:00.000000Z",
}
QUESTIONS: Final = {
    **SUMMARY,
    "kind": "questions",
    "status": "completed",
    "version": 3,
    "attempts": 1,
    "request": {
        "count": 2,
        "types": ["single_choice", "true_false"],
        "topics": ["physics.heat"],
        "difficulty": None,
        "locale": "en",
        "text_chars": len(TEXT),
    },
    "result": {
        "drafts": [
            {
                "id": f"{GENERATION_ID}-1",
                "question": {
                    "type": "true_false",
                    "prompt": "Does water boil at a lower temperature on a mountain?",
                    "answer": {"value": True},
                    "topics": ["physics.heat"],
                },
                "source": "On a mountain it boils at less",
            }
        ],
        "dropped": [{"position": 2, "reasons": [{"pointer": "/answer/option", "detail": "Is not an option here."}]}],
        "accepted": [],
        "provider": "openai",
        "model": "gpt-6-luna",
        "prompt_version": "generate/questions/en@1",
    },
    "finished_at": "2026-03-02T09:00:04.000000Z",
}
