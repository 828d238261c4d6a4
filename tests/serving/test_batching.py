"""The encoder's thread: order, batches, a bounded queue, and an end that finishes what is held."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from inkling.serving.batching import LARGEST_BATCH, Asked, BusyError, EncoderThreads


class Doubling:
    """Doubles numbers, when it is let."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.go = threading.Event()
        self.begun = threading.Event()

    def __call__(self, asked: Sequence[Asked]) -> None:
        self.begun.set()
        self.go.wait(10)
        self.batches.append(len(asked))
        for one in asked:
            if one.what is None:
                raise ValueError("nothing")
            one.answer.set_result(2 * one.what)


@pytest.fixture
def doubling() -> Doubling:
    return Doubling()


def test_what_came_while_the_encoder_was_busy_is_one_batch(doubling: Doubling) -> None:
    thread = EncoderThreads(doubling, bound=8)
    thread.start()
    first = thread.ask([1])
    doubling.begun.wait(10)
    others = thread.ask([2, 3]) + thread.ask([4])
    doubling.go.set()
    assert [one.result(10) for one in first + others] == [2, 4, 6, 8]
    thread.close(lambda: None)
    assert doubling.batches[0] == 1
    assert sum(doubling.batches) == 4


def test_a_full_queue_takes_none_of_a_request(doubling: Doubling) -> None:
    thread = EncoderThreads(doubling, bound=3)
    thread.start()
    first = thread.ask([0])
    doubling.begun.wait(10)
    held = thread.ask([1, 2])
    with pytest.raises(BusyError, match="2 pictures are waiting; the queue holds 3"):
        thread.ask([3, 4])
    assert thread.n_waiting == 2
    held += thread.ask([5])
    doubling.go.set()
    assert [one.result(10) for one in first + held] == [0, 2, 4, 10]
    thread.close(lambda: None)


def test_an_error_reaches_its_batch_and_the_thread_goes_on(doubling: Doubling) -> None:
    doubling.go.set()
    thread = EncoderThreads(doubling, bound=8)
    thread.start()
    with pytest.raises(ValueError, match="nothing"):
        thread.ask([None])[0].result(10)
    with pytest.raises(ZeroDivisionError):
        thread.call(lambda: 1 // 0)
    assert thread.call(lambda: threading.current_thread().name) == "inkling-encoder"
    assert thread.ask([21])[0].result(10) == 42
    thread.close(lambda: None)


def test_closing_finishes_what_is_held_and_takes_no_more(doubling: Doubling) -> None:
    thread = EncoderThreads(doubling, bound=8)
    thread.start()
    held = thread.ask([1, 2, 3])
    last: list[str] = []
    closing = threading.Thread(target=lambda: thread.close(lambda: last.append("done")))
    closing.start()
    time.sleep(0.05)
    with pytest.raises(BusyError, match="about to end"):
        thread.ask([4])
    doubling.go.set()
    closing.join(10)
    assert [one.result(0) for one in held] == [2, 4, 6]
    assert last == ["done"]


def test_who_has_left_is_not_answered(doubling: Doubling) -> None:
    thread = EncoderThreads(doubling, bound=8)
    thread.start()
    thread.ask([0])
    doubling.begun.wait(10)
    left, stayed = thread.ask([1, 2])
    assert left.cancel()
    doubling.go.set()
    assert stayed.result(10) == 4
    thread.close(lambda: None)
    assert sum(doubling.batches) == 2


def test_batches_are_bounded(doubling: Doubling) -> None:
    thread = EncoderThreads(doubling, bound=1000)
    thread.start()
    first = thread.ask([0])
    doubling.begun.wait(10)
    rest = thread.ask(list(range(200)))
    doubling.go.set()
    assert [one.result(10) for one in first + rest] == [0, *range(0, 400, 2)]
    thread.close(lambda: None)
    assert max(doubling.batches) <= LARGEST_BATCH


@pytest.mark.parametrize(("seconds", "largest"), [(10.0, 1), (0.02, 5), (1e-4, LARGEST_BATCH)])
def test_the_largest_batch_is_settled_by_the_time_of_one(doubling: Doubling, seconds: float, largest: int) -> None:
    """Though pictures turn out to be quicker than they were."""
    thread = EncoderThreads(doubling, bound=1000)
    assert thread.settle_largest(seconds) == largest
    doubling.go.set()
    thread.start()
    assert [one.result(10) for one in thread.ask(list(range(300)))] == list(range(0, 600, 2))
    thread.close(lambda: None)
    assert max(doubling.batches) == largest
