"""Who is sent to next."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.delivery.lanes import SHARES, SLOTS, Lanes, Slot, Standing


def lanes_with(**waiting: int) -> Lanes:
    """Lanes with so many deliveries waiting in each."""
    lanes = Lanes()
    for lane, count in waiting.items():
        for number in range(count):
            assert lanes.add(lane, f"{lane}-{number}")
    return lanes


def shown(slots: list[Slot]) -> list[str]:
    return [slot.id for slot in slots]


def stand(lanes: Lanes, lane: str, standing: Standing) -> None:
    """Give a lane a history."""
    lanes.add(lane, f"{lane}-history")
    (slot,) = lanes.take()
    lanes.release(slot, standing)


def test_receivers_take_turns() -> None:
    lanes = lanes_with(a=3, b=2, c=1)
    assert shown(lanes.take()) == ["a-0", "b-0", "c-0", "a-1", "b-1"]


def test_a_new_receiver_gets_two_slots() -> None:
    assert shown(lanes_with(a=9).take()) == ["a-0", "a-1"]


def test_a_receiver_that_took_one_quickly_gets_eight() -> None:
    lanes = Lanes()
    stand(lanes, "a", Standing.PROVEN)
    for number in range(20):
        lanes.add("a", str(number))
    assert len(lanes.take()) == 8


def test_a_receiver_that_failed_is_tried_with_one_at_a_time() -> None:
    lanes = Lanes()
    stand(lanes, "a", Standing.SUSPECT)
    assert lanes.add("a", "first")
    (slot,) = lanes.take()
    assert lanes.add("a", "second")
    assert lanes.take() == []
    lanes.release(slot, Standing.SUSPECT)
    assert shown(lanes.take()) == ["second"]


def test_dead_receivers_leave_room_for_the_living_however_many_they_are() -> None:
    lanes = Lanes()
    stand(lanes, "alive", Standing.PROVEN)
    for number in range(100):
        stand(lanes, f"dead-{number}", Standing.SUSPECT)
    for number in range(100):
        lanes.add(f"dead-{number}", f"d{number}")
        lanes.add(f"new-{number}", f"n{number}")
    held = lanes.take()
    assert len(held) == SHARES[Standing.SUSPECT].together + SHARES[Standing.UNPROVEN].together
    for number in range(8):
        lanes.add("alive", f"a{number}")
    assert len(lanes.take()) == 8


def test_no_more_are_sent_at_once_than_there_are_slots() -> None:
    lanes = Lanes()
    for number in range(100):
        stand(lanes, f"r{number}", Standing.PROVEN)
    for number in range(100):
        lanes.add(f"r{number}", f"d{number}")
    assert len(lanes.take()) == SLOTS


def test_a_slot_is_given_back_to_the_share_it_came_from() -> None:
    lanes = lanes_with(a=2)
    first, second = lanes.take()
    lanes.release(first, Standing.SUSPECT)
    lanes.release(second, Standing.SUSPECT)
    for number in range(40):
        lanes.add(f"new-{number}", f"n{number}")
    assert len(lanes.take()) == SHARES[Standing.UNPROVEN].together


def test_a_delivery_is_lined_up_once_and_again_only_after_its_turn() -> None:
    lanes = Lanes()
    assert lanes.add("a", "1")
    assert not lanes.add("a", "1")
    (slot,) = lanes.take()
    assert lanes.knows("1")
    assert not lanes.add("a", "1")
    lanes.release(slot, None)
    assert lanes.add("a", "1")


def test_a_dead_receiver_fills_no_memory() -> None:
    lanes = Lanes()
    stand(lanes, "dead", Standing.SUSPECT)
    assert sum(lanes.add("dead", str(number)) for number in range(1_000)) == SHARES[Standing.SUSPECT].waiting


def test_forgotten_ones_may_come_again() -> None:
    lanes = lanes_with(a=3)
    lanes.take()
    lanes.forget_waiting()
    assert not lanes.knows("a-2")
    assert lanes.knows("a-0")
    assert lanes.add("a", "a-2")


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(list(Standing))), max_size=80))
def test_slots_are_conserved_and_nobody_exceeds_a_share(arrivals: list[tuple[int, Standing]]) -> None:
    lanes, held, sent = Lanes(), list[Slot](), 0
    for number, (lane, standing) in enumerate(arrivals):
        lanes.add(str(lane), str(number))
        held += lanes.take()
        for one in Standing:
            assert sum(slot.standing is one for slot in held) <= SHARES[one].together
        if held and number % 3 == 0:
            lanes.release(held.pop(number % len(held)), standing)
            sent += 1
    held += lanes.take()
    while held:
        lanes.release(held.pop(), Standing.PROVEN)
        sent += 1
        held += lanes.take()
    assert sent <= len(arrivals)
    assert lanes.take() == []
    assert not any(lanes.knows(str(number)) for number in range(len(arrivals)))
