"""What searching a bank of 100,000 questions takes: `python -m benchmarks.search [--questions N] [--data FOLDER]`.

The bank is made up of fragments of real questions where FOLDER has some (semeval, jmmlu, ads_zh), and of short ones of
our own otherwise; it goes through the store in chunks of 500 as an import does, into an embedded Postgres with the
product's settings. Each search is asked for its first and its next pages, eight times over; times are those of the
store, from the call to the questions read.
"""

import argparse
import asyncio
import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

import msgspec

from pipeline.bootstrap import migrate
from pipeline.embedded import EmbeddedPostgres
from pipeline.model import Question
from pipeline.ports.bank import BEGINNING, Place, QuestionFilter
from pipeline.scoring.search import read_search
from pipeline.settings import Settings
from pipeline.store.access import AccessStore
from pipeline.store.bank import BankStore
from pipeline.store.engine import create_engine

PAGE = 51
PAGES = 8
ROUNDS = 8
CHUNK = 500
LEAST_CHARS = 3
COMMON_SHARE = 0.8
KOREAN = ["파이썬", "리스트", "정렬", "함수", "변수", "반복문", "조건문", "클래스", "상속", "예외", "배열", "스택"]
KOREAN += ["그래프", "탐색", "알고리즘", "인덱스", "조인", "질의", "서버"]
OWN = {
    "en": ["What does the loop print?", "Which battery is in its own path?", "Explain why the bulb is off."],
    "ja": ["データベースの索引とは何か。", "次の集合のうち、", "ハッシュ関数の性質は?"],
    "zh": ["线性表的存储结构是什么?", "简述栈和队列的区别。", "排序算法的复杂度是多少?"],
}
SYLLABLES = ["ka", "lo", "mi", "ne", "ru", "sta", "tre", "vo", "qui", "zel", "pan", "dor", "fex", "gim"]
COMMON_TOPICS = ["python.lists", "js.async", "react.hooks", "db.index", "algo.sort", "science", "ml"]
RARE_TOPICS = [f"rare.{number}" for number in range(200)]


def searching(q: str, **fields: object) -> QuestionFilter:
    return msgspec.structs.replace(QuestionFilter(search=read_search(q)), **fields)


SEARCHES: Mapping[str, QuestionFilter] = {
    "a rare word": searching("vokatre"),
    "two words, both rare": searching("stalomi battery"),
    "a word of 20 % of all, together in one range of ids": searching("python"),
    "a word of most": searching("the"),
    "two common words": searching("the battery"),
    "a phrase": searching("in its own path"),
    "two letters": searching("js"),
    "one character, の": searching("の"),
    "one character, 的": searching("的"),
    "one character, 트": searching("트"),
    "two Korean words": searching("리스트 정렬"),
    "a Japanese word": searching("データベース"),
    "no hit": searching("xylophonique"),
    "no hit, of common runs": searching("thention"),
    "a word and two filters": searching("battery", topic="db.index", difficulties=(3,)),
    "の and a range of difficulty": searching("の", difficulties=(2, 3, 4), language="ja"),
    "a filter that a tenth fits": QuestionFilter(topic="db.index"),
    "a filter that few fit": QuestionFilter(topic="rare.7"),
    "a filter that all fit": QuestionFilter(type="single_choice"),
    "five filters": QuestionFilter(topic="ml", language="en", difficulties=(4, 5), industry="fintech", tag="exam"),
    "everything": QuestionFilter(),
}


def fragments_of(folder: Path | None) -> dict[str, list[str]]:
    """Parts of sentences by language."""
    found = {language: list(own) for language, own in OWN.items()}
    for file in [] if folder is None else sorted(folder.glob("*/questions.ndjson")):
        for line in file.read_bytes().splitlines():
            body = msgspec.json.decode(line)
            texts = [body["prompt"], *(option["text"] for option in body.get("options", ()))]
            parts = [part.strip() for text in texts for part in re.split(r"(?<=[.?!。？！、，,;])\s*", text)]
            found[body["language"]] += [part for part in parts if len(part) > LEAST_CHARS]
    return found


def made_up(count: int, fragments: Mapping[str, Sequence[str]], random: Random) -> Iterator[Question]:
    """A bank in four languages; a fifth of it is about Python, by its ids and its prompts."""
    for number in range(count):
        language = random.choices(["en", "ja", "zh", "ko"], [4, 2.5, 2, 1.5])[0]
        texts = fragments.get(language, KOREAN)
        prefix = random.choice(["py", "js", "db", "alg", "sci"])
        rare = "".join(random.choices(SYLLABLES, k=4)) + (" What does python print?" if prefix == "py" else "")
        words = random.choices(texts, k=random.randint(2, 4) * (2 if language == "ko" else 1))
        yield Question(
            id=f"{prefix}-{language}-{number:06}",
            version=0,
            type="single_choice",
            prompt=f"{' '.join(words)} {rare}",
            answer={"option": "a"},
            options=tuple({"id": name, "text": random.choice(texts)[:80]} for name in "abcd"),
            topics=(random.choice(COMMON_TOPICS if random.random() < COMMON_SHARE else RARE_TOPICS),),
            difficulty=random.randint(1, 5),
            module=f"m{random.randint(1, 20)}",
            language=language,
            industry=random.choice(["general", "fintech", "ecommerce", "enterprise"]),
            tags=tuple(random.sample(["basic", "exam", "code", "theory", "review"], 2)),
        )


async def timed_pages(bank: BankStore, tenant_id: int, wanted: QuestionFilter) -> tuple[list[float], int]:
    """Milliseconds of each page, and how many questions came with the first pages."""
    times: list[float] = []
    seen = 0
    for _ in range(ROUNDS):
        after: Place | None = BEGINNING
        seen = 0
        for _ in range(PAGES):
            if after is None:
                break
            begun = time.perf_counter()
            found = await bank.browse(tenant_id, wanted, after=after, most=PAGE)
            times.append(1000 * (time.perf_counter() - begun))
            seen += len(found)
            after = found[-2].place if len(found) == PAGE else None
    return sorted(times), seen


async def measure(url: str, count: int, folder: Path | None) -> None:
    engine = create_engine(url, pool_size=2)
    tenant_id = await AccessStore(engine).ensure_tenant("school", token_secret="", callback_secret="")
    bank = BankStore(engine)
    questions = list(made_up(count, fragments_of(folder), Random(7)))  # noqa: S311 - the same bank each time
    begun, computed = time.perf_counter(), time.process_time()
    for start in range(0, count, CHUNK):
        await bank.save(tenant_id, questions[start : start + CHUNK])
    seconds, cpu = time.perf_counter() - begun, time.process_time() - computed
    print(f"{count:,} questions stored in {seconds:.0f} s, of which {cpu:.0f} s were ours; Postgres had the rest\n")
    print("| search | p50 ms | p95 ms | slowest ms | found, at most 8 pages |\n|---|---|---|---|---|")
    for name, wanted in SEARCHES.items():
        times, seen = await timed_pages(bank, tenant_id, wanted)
        p50, p95 = (times[int(len(times) * part)] for part in (0.5, 0.95))
        print(f"| {name} | {p50:.1f} | {p95:.1f} | {times[-1]:.1f} | {seen} |", flush=True)
    await engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--questions", type=int, default=100_000)
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder)) as server:
        asyncio.run(migrate(Settings(database_url=server.url)))
        asyncio.run(measure(server.url, given.questions, given.data))


if __name__ == "__main__":
    main()
