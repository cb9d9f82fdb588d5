"""A feed reader that asks each replica again and again during the run: what it was shown once may never go back.

A newer state stands on disk before it is shown, so no crash, restart or rebuild brings an older one again.
"""

import threading

from installation import http

from house import House
from journal import Journal
from model import Model
from workload import MARK, State


class Reader(threading.Thread):
    """Reads the feed of everything. `went_back`: what it was shown after something newer."""

    def __init__(self, house: House, model: Model, journal: Journal, every: float):
        super().__init__(daemon=True, name="reader")
        self.house, self.model, self.journal, self.every = house, model, journal, every
        self.shown: dict[tuple[str, str], State] = {}  # (replica, article) -> the newest state it showed
        self.went_back: list[str] = []
        self.reads = 0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(self.every):
            for name in self.house.names("up" if self.house.amqp_url is None else "feed"):
                try:
                    answer = http("GET", f"{self.house.address(name)}/feeds/all.json", timeout=5)
                except OSError:
                    continue  # it is down: the account will say if it stays so
                if answer.status == 200:
                    self.reads += 1
                    for item in answer.json()["items"]:
                        self.look(name, item["title"])

    def look(self, replica: str, title: str) -> None:
        """Compares what is shown with what was shown before."""
        mark = MARK.search(title)
        state = self.model.attempts.get(mark.group(1)) if mark else None
        if state is None:
            return  # the account will say so
        before = self.shown.get((replica, state.key))
        if before is None or before.version <= state.version:
            self.shown[(replica, state.key)] = state
        # the order of two events of one revision is known only once intake has named them
        elif before.revision > state.revision or all(one.event_id for one in (before, state)):
            self.went_back.append(f"{replica} showed {state.title} after {before.title}")
            self.journal.write("went back", replica=replica, article=state.key, before=before.mark, after=state.mark)
