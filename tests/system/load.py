"""Those who publish while a test breaks things: a CMS over HTTP and a stranger on the bus. They try again until it is taken.

What was answered 2xx, or confirmed, must never be lost; whatever they could not hand over within a minute is their `fault`.
"""

import collections
import json
import threading
import time

from contract import Producer, article, published
from installation import Installation, http

CATEGORIES = 10
TAKEN_SECONDS_MAX = 180


def category(number: int) -> dict:
    """Each article in one of a few categories, so that feeds stay readable."""
    return {"slug": f"muc-{number % CATEGORIES}", "label": f"Mục {number % CATEGORIES}"}


def title(number: int) -> str:
    return f"Tin {number:04}"


def standing(loa: Installation, replica: str = "feed") -> collections.Counter:
    """All titles in all category feeds, and how often each is there. A category nothing has reached yet has no feed."""
    answers = [loa.feed(f"category-muc-{number}.json", replica) for number in range(CATEGORIES)]
    assert all(answer.status in (200, 404) for answer in answers), [answer.status for answer in answers]
    return collections.Counter(item["title"] for answer in answers if answer.status == 200 for item in answer.json()["items"])


class Cms(threading.Thread):
    """Posts articles to intake, or to its replicas by turns, and again when it got no answer."""

    def __init__(self, loa: Installation, token: str, numbers: range, replicas: tuple[str, ...] = ("intake",)):
        super().__init__(daemon=True)
        self.loa, self.token, self.numbers, self.replicas, self.fault = loa, token, numbers, replicas, None

    def run(self) -> None:
        for number in self.numbers:
            data = article(f"k-{number:04}", title=title(number), category=category(number))
            del data["revision"]
            body, deadline, tries = json.dumps(data).encode(), time.monotonic() + TAKEN_SECONDS_MAX, number
            while True:
                replica = self.replicas[tries % len(self.replicas)]
                try:
                    answer = http("POST", f"{self.loa.url(replica)}/v1/articles", body, timeout=5,
                                  Authorization=f"Bearer {self.token}", Content_Type="application/json")
                    if answer.status in (200, 202):
                        break
                    if answer.status != 503:
                        self.fault = f"{answer.status}: {answer.text}"
                        return
                except OSError:
                    pass
                if time.monotonic() > deadline:
                    self.fault = f"article {number} was not taken within {TAKEN_SECONDS_MAX} s"
                    return
                tries += 1
                time.sleep(0.05)


class Stranger(threading.Thread):
    """A foreign producer, at a steady pace.

    `breaks` says how often the test breaks something in the middle; it asks for each with `at_break`. The producer then has part
    of its messages to go, and keeps the last ones back until all breaks were asked for, however slow the machine is.
    """

    def __init__(self, client: Producer, numbers: range, seconds: float, breaks: int = 0):
        super().__init__(daemon=True)
        self.client, self.numbers, self.pause, self.fault = client, numbers, seconds / max(1, len(numbers)), None
        self.part = len(numbers) / (breaks + 1)
        self.sent, self.breaks, self.asked, self.changed = 0, breaks, 0, threading.Condition()

    def may_send(self) -> bool:
        return self.asked == self.breaks or self.sent < (self.asked + 1.5) * self.part

    def at_break(self) -> None:
        """Returns when the next part was sent; more follow at once, during the break."""
        with self.changed:
            self.asked += 1
            self.changed.notify_all()
            assert self.changed.wait_for(lambda: self.fault or self.sent >= self.asked * self.part, TAKEN_SECONDS_MAX), "it sends"
            assert self.fault is None, self.fault

    def run(self) -> None:
        try:
            for number in self.numbers:
                with self.changed:
                    self.changed.wait_for(self.may_send)
                self.client.structured(
                    published(f"k-{number:04}", title=title(number), category=category(number)) | {"id": f"event-{number:04}"})
                with self.changed:
                    self.sent += 1
                    self.changed.notify_all()
                time.sleep(self.pause)
        except Exception as error:  # noqa: BLE001 (told to the test)
            with self.changed:
                self.fault = repr(error)
                self.changed.notify_all()
