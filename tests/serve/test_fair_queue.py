"""The queue: keys take turns by cost, and none fills it for the others."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from coldstart.serve.fair_queue import FairQueue


@dataclass(frozen=True)
class Job:
    key_id: str
    cost: float = 1.0
    n: int = 0
    droppable: bool = True


def emptied(queue):
    out = []
    while (job := queue.get(wait=False)) is not None:
        out.append(job)
    return out


def test_one_key_is_served_in_order():
    queue = FairQueue(10)
    jobs = [Job("a", cost, n) for n, cost in enumerate([5, 0.1, 11, 1])]
    assert [queue.put(job) for job in jobs] == [None] * 4
    assert len(queue) == 4
    assert emptied(queue) == jobs


def test_a_costly_key_waits_for_the_cheap_ones():
    queue = FairQueue(100)
    for n in range(5):
        queue.put(Job("costly", 10, n))
    for n in range(20):
        queue.put(Job("cheap", 1, n))
    order = [job.key_id for job in emptied(queue)]
    assert order[0] == "costly"
    assert order[1:11] == ["cheap"] * 10
    assert order.count("costly") == 5


def test_a_key_that_was_away_has_saved_nothing_up():
    queue = FairQueue(100)
    for n in range(50):
        queue.put(Job("a", 1, n))
        queue.get()
    for n in range(4):
        queue.put(Job("b", 1, n))
        queue.put(Job("a", 1, n))
    assert [job.key_id for job in emptied(queue)][:4].count("a") >= 1


def test_a_full_queue_takes_from_the_key_with_most():
    queue = FairQueue(4)
    many = [Job("a", 1, n) for n in range(4)]
    for job in many:
        assert queue.put(job) is None
    assert queue.put(Job("a", 1, 9)) == Job("a", 1, 9)
    assert queue.put(Job("b")) == many[3]
    assert queue.put(Job("b", 1, 1)) == many[2]
    assert queue.put(Job("b", 1, 2)) == Job("b", 1, 2)  # two each
    assert queue.put(Job("c")) is not None
    assert {job.key_id for job in emptied(queue)} == {"a", "b", "c"}


def test_what_must_be_done_is_not_dropped():
    queue = FairQueue(3)
    for n in range(3):
        queue.put(Job("a", 1, n, droppable=n == 0))
    assert queue.put(Job("b")) == Job("a", 1, 0)
    assert queue.put(Job("c")) == Job("c")
    assert [job.n for job in emptied(queue) if job.key_id == "a"] == [1, 2]


def test_what_is_ahead_is_at_most_as_much_of_another_key_as_of_ones_own():
    queue = FairQueue(100)
    for _ in range(10):
        queue.put(Job("a", 4))
    assert queue.ahead("a", 1) == 40
    assert queue.ahead("b", 1) == 1
    queue.put(Job("b", 2))
    assert queue.ahead("b", 1) == 2 + 3
    assert queue.holds("b")
    assert not queue.holds("c")


def test_a_closed_queue_is_emptied_and_ends():
    queue = FairQueue(4)
    queue.put(Job("a"))
    queue.close()
    assert queue.closed
    assert queue.get() == Job("a")
    assert queue.get() is None


@given(
    st.lists(
        st.one_of(
            st.none(), st.builds(Job, st.sampled_from("abc"), st.sampled_from([0.1, 1.0, 11.0]))
        ),
        max_size=80,
    ),
    st.integers(1, 8),
)
def test_every_job_is_served_or_given_back_once(steps, size):
    queue, kept, out, back = FairQueue(size), 0, 0, 0
    for n, step in enumerate(steps):
        if step is None:
            out += queue.get(wait=False) is not None
        else:
            kept += 1
            back += queue.put(Job(step.key_id, step.cost, n)) is not None
        assert len(queue) == kept - out - back <= size
    out += len(emptied(queue))
    assert kept == out + back
