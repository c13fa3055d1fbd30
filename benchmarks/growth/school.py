"""A school with a past: a large bank through the real import, and its learners' history by SQL.

Rows are as the pipeline writes them: scores follow from the answers, skills, days, ratings and sums from the scores.
Skills are drawn and not replayed, and recommendations are left out: nothing that is measured here reads them.
"""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from random import Random
from typing import Any, Final, NamedTuple

import httpx
import msgspec

from benchmarks.growth.system import System
from pipeline.curriculum.shipping import shipped_curriculum

TOPICS: Final = 300
ANSWERS_EACH: Final = 4
PAST: Final = timedelta(days=120)
AT_ONCE: Final = 2_000
CHUNK: Final = 25_000
TOPICS_OF_A_LEARNER: Final = 25
GROUP: Final = "measured"
WORDS: Final = {
    "en": """list loop index query table join value state render hook array object promise class method module string
        number branch commit merge server client request header token cache queue worker thread process memory pointer
        stack heap tree graph node edge root leaf search sort insert delete update select group order filter map""",
    "ko": """목록 반복문 색인 질의 표 조인 값 상태 렌더링 배열 객체 약속 클래스 메서드 모듈 문자열 숫자 가지 서버
        클라이언트 요청 토큰 캐시 대기열 작업자 스레드 프로세스 메모리 스택 트리 그래프 노드 간선 탐색 정렬 삽입""",
    "ja": """一覧 繰り返し 索引 問い合わせ 表 結合 値 状態 描画 配列 対象 約束 手続き 部品 文字列 数値 枝 送信
        受信 要求 見出し 記憶 行列 作業 過程 根 葉 探索 整列 挿入 削除 更新 選択 集合 順序 条件 関数 変数""",
    "zh": """列表 循环 索引 查询 表格 连接 数值 状态 渲染 数组 对象 承诺 方法 模块 字符串 数字 分支 服务器
        客户端 请求 标头 令牌 缓存 队列 线程 进程 内存 指针 栈 堆 树 图 节点 边 根 叶 搜索 排序""",
}
LANGUAGES: Final = ("en", "en", "ko", "ja", "zh")

SHIPPED_TOPICS: Final = b"""
    SELECT DISTINCT jsonb_array_elements_text(body -> 'topics') FROM curriculum_entries WHERE kind = 'module'
    ORDER BY 1
"""
CAREERS: Final = b"SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM curriculum_entries WHERE kind = 'category'"
LEARNERS: Final = b"""
    INSERT INTO learners (tenant_id, id, locale, career_goal, industry)
    SELECT 1, 'old-' || n, (ARRAY['en', 'ko', 'ja', 'zh'])[1 + mod(n, 4)],
        (%(careers)s::text[])[1 + mod(n, greatest(cardinality(%(careers)s::text[]), 1))],
        (ARRAY['general', 'fintech', 'ecommerce', 'enterprise'])[1 + mod(n / 4, 4)]
    FROM generate_series(1, %(learners)s) AS n
"""
# A learner hands in for as long as he stays: some left long ago, some came lately.
HISTORY: Final = b"""
    CREATE TEMP TABLE history AS
    SELECT n, 'old-' || 1 + n %% %(learners)s AS learner_id, uuidv7(-age) AS id, clock_timestamp() - age AS at
    FROM generate_series(%(first)s::bigint, %(last)s) AS n,
        LATERAL (SELECT %(past)s::interval * (n::float / %(submissions)s) * (0.2 + 0.8 * random())) AS a(age)
"""
PICKED: Final = b"""
    CREATE TEMP TABLE picked AS
    SELECT h.id, h.learner_id, h.at, p.position, q.version_key, q.question_key, q.points,
        random() < 0.35 + 0.5 * random() AS correct, (3000 + 40000 * random())::int AS response_time_ms
    FROM history h CROSS JOIN generate_series(0, %(each)s - 1) AS p(position)
    JOIN LATERAL (SELECT 1 + floor(random() * %(questions)s)::int AS place, h.n + p.position) AS r ON true
    JOIN bank q ON q.place = r.place
"""
BANK: Final = b"""
    CREATE TEMP TABLE bank AS
    SELECT row_number() OVER (ORDER BY q.id) AS place, q.key AS question_key, q.version_key, 1.0 AS points
    FROM questions q WHERE q.tenant_id = 1 AND q.id LIKE 'large-%';
    CREATE UNIQUE INDEX ON bank (place);
    ANALYZE bank
"""
WRITTEN: Final = (
    b"""
    INSERT INTO submissions (tenant_id, id, learner_id, status, version, created_at, updated_at, completed_at)
    SELECT 1, id, learner_id, 'completed', 3, at, at, at FROM history ORDER BY id
    """,
    b"""
    INSERT INTO stages (submission_id, stage, tenant_id, state, attempts, epoch, queued_at, started_at, finished_at)
    SELECT id, stage, 1, 'done', 1, 1, at, at, at
    FROM history CROSS JOIN unnest(ARRAY['score', 'feedback', 'recommend', 'metrics']) AS stage ORDER BY id
    """,
    b"""
    INSERT INTO answers (submission_id, position, tenant_id, version_key, response, response_time_ms)
    SELECT id, position, 1, version_key,
        CASE WHEN correct THEN '"b"' ELSE (ARRAY['"a"', '"c"', '"d"'])[1 + floor(random() * 3)::int] END::jsonb,
        response_time_ms
    FROM picked ORDER BY id, position
    """,
    b"""
    INSERT INTO results (submission_id, stage, tenant_id, body, created_at)
    SELECT id, 'score', 1, jsonb_build_object('points', sum(correct::int), 'max_points', count(*),
            'fraction', round(avg(correct::int), 4), 'provisional', false,
            'answers', jsonb_agg(jsonb_build_array(CASE WHEN correct THEN 'correct' ELSE 'incorrect' END,
                correct::int, correct::int, 1, 'single_choice/1') ORDER BY position)), at
    FROM picked GROUP BY id, at ORDER BY id
    """,
    b"""
    INSERT INTO learner_days (tenant_id, learner_id, day, submissions, answers, scored, correct, fraction_millionths,
        timed, response_time_ms)
    SELECT 1, learner_id, CAST(at AT TIME ZONE 'UTC' AS date), count(DISTINCT id), count(*), count(*),
        sum(correct::int), 1000000 * sum(correct::int), count(*), sum(response_time_ms)
    FROM picked GROUP BY 1, 2, 3 ORDER BY 2, 3
    ON CONFLICT (tenant_id, learner_id, day) DO UPDATE SET
        submissions = learner_days.submissions + excluded.submissions,
        answers = learner_days.answers + excluded.answers, scored = learner_days.scored + excluded.scored,
        correct = learner_days.correct + excluded.correct,
        fraction_millionths = learner_days.fraction_millionths + excluded.fraction_millionths,
        timed = learner_days.timed + excluded.timed,
        response_time_ms = learner_days.response_time_ms + excluded.response_time_ms
    """,
    b"DROP TABLE picked, history",
)
SKILLS: Final = b"""
    INSERT INTO skills (tenant_id, learner_id, topic, rating, answers, correct, recent_errors, recent_answers,
        updated_at, stability, review_difficulty, due_at)
    SELECT 1, 'old-' || n, topic, -1 + 3 * random(), answers, answers / 2, 2 * random(), 3, seen, 5, 5,
        seen + interval '5 days'
    FROM generate_series(1, %(learners)s) AS n
    CROSS JOIN LATERAL (
        SELECT topic, 5 + floor(random() * 30)::int AS answers, now() - %(past)s::interval * (n::float / %(learners)s)
            * random() AS seen
        FROM unnest(%(topics)s::text[]) AS topic ORDER BY random() + 0 * n LIMIT %(each)s) AS t
"""
RATED: Final = (
    b"""
    INSERT INTO item_statistics (question_key, tenant_id, answers, scored, correct, fraction_millionths, timed,
        response_time_ms)
    SELECT v.question_key, 1, count(*), count(*), count(*) FILTER (WHERE a.response = '"b"'),
        1000000 * count(*) FILTER (WHERE a.response = '"b"'), count(*), sum(a.response_time_ms)
    FROM answers a JOIN question_versions v ON v.key = a.version_key GROUP BY v.question_key
    ON CONFLICT DO NOTHING
    """,
    b"""
    INSERT INTO item_ratings (question_key, tenant_id, rating, answers)
    SELECT question_key, 1, 1 - 2 * correct::float / answers, answers FROM item_statistics ON CONFLICT DO NOTHING
    """,
)


class School(NamedTuple):
    """How large a school is; `answers` are those of its past."""

    questions: int
    learners: int
    answers: int


def fill(system: System, school: School, say: Callable[[str], None]) -> float:
    """Give an empty system a bank and a past; answers how many seconds the bank took."""
    teach(system)
    topics = [row[0] for row in system.database.execute(SHIPPED_TOPICS)]
    topics += [f"subject.topic-{number}" for number in range(TOPICS)]
    say(f"importing {school.questions:,} questions")
    begun = time.monotonic()
    import_bank(system, questions(school.questions, topics))
    seconds = time.monotonic() - begun
    say(f"writing {school.answers:,} answers of {school.learners:,} learners")
    write_past(system, school, topics)
    for name in ("questions", "question_versions", "question_search", "submissions", "stages", "answers", "results",
                 "learners", "skills", "learner_days", "item_ratings", "item_statistics"):  # fmt: skip
        system.database.execute(f"VACUUM (ANALYZE) {name}".encode())
    return seconds


def teach(system: System) -> None:
    """Import the curriculum that ships."""
    with client_of(system) as client:
        client.post("/v1/curriculum/import", content=shipped_curriculum()).raise_for_status()


def client_of(system: System) -> httpx.Client:
    """Somebody with a teacher's key."""
    headers = {"Authorization": f"Bearer {system.connection.api_key}", "Content-Type": "application/json"}
    return httpx.Client(base_url=system.connection.url, headers=headers, timeout=120, trust_env=False)


def questions(number: int, topics: list[str]) -> Iterator[dict[str, Any]]:
    """Choice questions of random words in four languages; `b` is right."""
    random = Random(1)  # noqa: S311 - made-up data, not a secret
    words = {language: text.split() for language, text in WORDS.items()}
    for place in range(number):
        language = LANGUAGES[place % len(LANGUAGES)]
        mine = words[language]
        yield {
            "id": f"large-{place:06}",
            "type": "single_choice",
            "prompt": f"{' '.join(random.choices(mine, k=12))} {place}?",
            "options": [{"id": letter, "text": " ".join(random.choices(mine, k=3))} for letter in "abcd"],
            "answer": {"option": "b"},
            "difficulty": 1 + place % 5,
            "topics": random.sample(topics, random.choice((1, 1, 2))),
            "language": language,
            "industry": ("fintech", "ecommerce", "enterprise", None)[place % 4],
        }


def import_bank(system: System, bank: Iterator[dict[str, Any]]) -> None:
    """Store questions by the call that teachers use."""
    with client_of(system) as client:
        while some := list(islice(bank, AT_ONCE)):
            lines = b"\n".join(msgspec.json.encode(question) for question in some)
            ndjson = {"Content-Type": "application/x-ndjson"}
            report = client.post("/v1/questions/import", content=lines, headers=ndjson).raise_for_status().json()
            if report["rejected"]:
                raise ValueError(f"{report['rejected']} questions were refused")


def write_past(system: System, school: School, topics: list[str]) -> None:
    """Learners and their history, in transactions of some thousand submissions."""
    database, submissions = system.database, school.answers // ANSWERS_EACH
    [(careers,)] = database.execute(CAREERS)
    values = {"learners": school.learners, "careers": careers, "past": PAST, "topics": topics}
    database.execute(LEARNERS, values)
    database.execute(BANK)
    for first in range(0, submissions, CHUNK):
        span = {"first": first, "last": min(first + CHUNK, submissions) - 1, "submissions": submissions}
        with database.transaction():
            database.execute(HISTORY, {**values, **span})
            database.execute(PICKED, {"each": ANSWERS_EACH, "questions": school.questions})
            for statement in WRITTEN:
                database.execute(statement)
    database.execute(SKILLS, {**values, "each": TOPICS_OF_A_LEARNER})
    for statement in RATED:
        database.execute(statement)
