from cli.backlog import Backlog, Entry


def entries(count: int, size: int = 1) -> list[Entry]:
    return [Entry(number, b"x" * size) for number in range(1, count + 1)]


def numbers(batch: list[Entry]) -> list[int]:
    return [entry.number for entry in batch]


def test_entries_come_in_order_and_no_more_than_asked_for() -> None:
    backlog = Backlog(iter(entries(3)))
    assert numbers(backlog.take(0, most=2, most_bytes=100)) == [1, 2]
    assert numbers(backlog.take(0, most=2, most_bytes=100)) == [3]
    assert backlog.take(0, most=2, most_bytes=100) == []


def test_a_batch_is_bounded_in_bytes_but_one_large_entry_goes_alone() -> None:
    backlog = Backlog(iter(entries(3, size=10)))
    assert numbers(backlog.take(0, most=9, most_bytes=25)) == [1, 2]
    assert numbers(backlog.take(0, most=9, most_bytes=5)) == [3]


def test_the_source_is_read_no_further_than_needed() -> None:
    source = iter(entries(5))
    Backlog(source).take(0, most=2, most_bytes=100)
    assert next(source).number == 3


def test_what_was_put_back_comes_when_it_is_due_before_fresh_entries() -> None:
    backlog = Backlog(iter(entries(4)))
    first, second = backlog.take(0, most=2, most_bytes=100)
    backlog.put_back(second, 7)
    backlog.put_back(first, 5)
    assert (backlog.put_off, backlog.next_due) == (2, 5)
    assert numbers(backlog.take(4.9, most=1, most_bytes=100)) == [3]
    assert numbers(backlog.take(5, most=9, most_bytes=100)) == [1, 4]
    assert numbers(backlog.take(7, most=9, most_bytes=100)) == [2]
    assert backlog.next_due is None


def test_an_entry_knows_how_often_it_was_put_back() -> None:
    backlog = Backlog(iter(entries(1)))
    for _ in range(2):
        backlog.put_back(backlog.take(0, most=1, most_bytes=1)[0], 0)
    assert backlog.take(0, most=1, most_bytes=1)[0].delays == 2
