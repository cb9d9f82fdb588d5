"""A portal that cannot call Loa: it publishes and edits on pages of its own, which `loa watch` looks at, and misbehaves on command.

What it shows is owed from then on: what stands at the end must be on every outlet, once. Of edits between two looks only the last
one need be seen.
"""

import datetime
import time

import portals
from installation import until

from journal import Window
from producers import Producer
from workload import State, Step

PATH = "/wp-json/wp/v2/posts"
NAME = "trang-xa"
KNOWN = "Tin có trước khi theo dõi"  # told to nobody
SILENCE_SECONDS = 3.0  # longer than the watch listens
CUT = ("site-silent", "site-cut")  # what began as an answer ends there
BROKEN = {
    "site-500": (500, {"Content-Type": "text/html"}, b"<h1>Error</h1>"),
    "site-404": (404, {"Content-Type": "text/html"}, b"<h1>Not found</h1>"),
    "site-page": (200, {"Content-Type": "text/html; charset=utf-8"}, "<h1>Bảo trì</h1><p>Cổng đang bảo trì.</p>".encode()),
    "site-empty": (200, {"Content-Type": "application/json"}, b"[]"),
}


class Site(portals.WordPress):
    """Lists whole articles, newest first, and more of them than WordPress does: nothing that is edited has left the list.
    Its pages tell the time as clocks in `zone` do. `mood` is the fault it has now."""

    SHOWN = 2_000  # as many as the watch reads of one list

    def __init__(self, zone: datetime.tzinfo):
        self.zone = zone
        self.mood: tuple[str, Window] | None = None
        super().__init__()
        self.publish(KNOWN, at=portals.BEGIN - datetime.timedelta(days=10_000))  # what is older stood behind it
        self.whim = self.misbehave

    def misbehave(self, path: str):
        mood = self.mood
        if mood is None:
            return None
        mood[1].effects += 1
        if mood[0] == "site-silent":
            time.sleep(SILENCE_SECONDS)
        if mood[0] in CUT:
            raise ConnectionAbortedError
        return BROKEN[mood[0]]

    def answer(self, handler) -> None:
        super().answer(handler)
        if self.mood is not None and self.mood[0] in CUT:
            handler.close_connection = True

    def put(self, state: State) -> str:
        """Shows a state; returns the address of its page."""
        story = next((story for story in self.stories if getattr(story, "article", "") == state.article), None)
        if story is None:
            story = self.publish(state.title, state.published_at.astimezone(self.zone))
            story.article = state.article
        else:
            # WordPress tells edits apart by the second
            latest = (story.edited or story.at) + datetime.timedelta(seconds=1)
            story.title, story.edited = state.title, max(latest, datetime.datetime.now(portals.VIETNAM))
        return self.url + self.address(story)

    def watch(self, house, portal: str) -> None:
        """Has it watched, and waits until what it shows already is known."""
        house.json("watch", "add", self.url + PATH, "--name", NAME, "--every", "1", "--portal", portal)
        until(30, "the watched portal was looked at", lambda: house.json("watch", "list")[0]["articles"] == {"known": 1})


class Editor(Producer):
    """Publishes and edits on the portal that is watched. Nobody acknowledges anything: what is shown is owed."""

    def __init__(self, *arguments, site: Site):
        super().__init__(*arguments)
        self.site = site

    def carry_out(self, step: Step) -> bool:
        state, self.tries = step.state, 1
        self.model.attempted(state, time.time())
        state.page = self.site.put(state)
        self.acknowledged(step, state)
        return True
