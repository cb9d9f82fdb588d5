"""What is published in one run, and when: made from the seed before the start, so that a run can be repeated.

Pure. Three kinds of producers: CMSs that post to intake, each for a portal of its own (intake counts the revisions); a
foreign producer over AMQP, for all portals (which counts its own, sends things twice, late, in the wrong order, and
sometimes sends garbage); and an editor whose portal cannot call us and is watched. Portals use each other's article ids,
and each other's event ids. Every state of an article carries a mark in its title, `[e1a]`, and every withdrawal one in
its reason, by which it is recognised wherever it turns up.
"""

import csv
import dataclasses
import datetime
import json
import pathlib
import random
import re

import contract

MARK = re.compile(r"\[e([0-9a-z]+)\]")
BLOCK = 120  # articles in one category: fewer than a feed has entries, so that every article can be looked for
EQUAL_IDS = 0.5  # of what is new, as far as another portal has something under an id that this one has not used
WATCHED_CATEGORY = "tin-tuc"  # of what names none
FIRST_DAY = datetime.datetime(2023, 11, 16, 8, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=7)))
MALFORMED_EVERY = 15.0  # seconds, in short runs
MALFORMED_MAX = 500  # in long ones; `loa dead-letters list` looks at 1,000 of a queue
AREAS = pathlib.Path(__file__).resolve().parents[2] / "config/areas"
ABOUT = ("na-son-03205-2004", "phi-nhu-03208-2004", "muong-luan-03214-2004", "luan-gioi-03379-2004", "tia-dinh-03384-2004")


@dataclasses.dataclass(frozen=True)
class Publisher:
    """A portal: its slug, its name as people read it, the `source` of its events, and what its entries' ids begin with."""

    slug: str
    name: str
    source: str
    tag: str


TAG_DATE = "2026-07-01"
HOME = Publisher("home", "Cổng huyện", contract.SOURCE, "tag:dienbiendong.gov.vn,2023-01-01:entry/")
OTHERS = tuple(
    Publisher(slug, f"Cổng xã {name}", f"https://{slug}.example.gov.vn/", f"tag:{slug}.example.gov.vn,{TAG_DATE}:entry/")
    for slug, name in (("na-son", "Na Son"), ("phi-nhu", "Phì Nhừ")))
PORTALS = (HOME, *OTHERS)
WATCHED = OTHERS[-1]
BY_SOURCE = {portal.source: portal for portal in PORTALS}
LANES = {"amqp": PORTALS, **{f"cms-{number}": (portal,) for number, portal in enumerate(PORTALS)}, "site": (WATCHED,)}  # who publishes for whom
CMS = tuple(lane for lane in LANES if lane.startswith("cms-"))
WEIGHTS = {"amqp": 6, "site": 1} | dict.fromkeys(CMS, 2)


@dataclasses.dataclass(slots=True)
class State:
    """One state of one article or document: what the events of a run are about."""

    mark: str
    article: str
    revision: int
    withdrawn: bool
    event_id: str  # known beforehand over AMQP, told by intake over HTTP
    source: str
    kind: str  # article, document
    category: str
    areas: tuple[str, ...]
    minute: int  # its time of publication, in minutes after FIRST_DAY; the same for all states of an article
    verb: str  # published, updated, withdrawn, issued
    size: int
    page: str = ""  # where it stands, for what is watched; told by the portal
    is_watched: bool = False

    @property
    def portal(self) -> Publisher:
        return BY_SOURCE[self.source]

    @property
    def key(self) -> str:
        """Whose article it is, and which: docs/adr/0025. What is watched is given its id by Loa; here it has one of ours."""
        return self.article if self.portal is HOME else f"{self.portal.slug} {self.article}"

    @property
    def url(self) -> str:
        return self.page or f"{self.source}tin/{self.article}"

    @property
    def type(self) -> str:
        return f"vn.loa.{self.kind}.{self.verb}.v1"

    @property
    def version(self) -> tuple[int, bool, bytes]:
        """docs/adr/0007: the higher one stands."""
        return (self.revision, self.withdrawn, self.event_id.encode())

    @property
    def title(self) -> str:
        return f"Tin {self.article} bản {self.revision} [e{self.mark}]"

    @property
    def reason(self) -> str:
        return f"Số liệu chưa đúng [e{self.mark}]"

    @property
    def shown_title(self) -> str:
        """What stands in feeds and mails: a document's number goes first."""
        return self.title if self.kind == "article" else f"{self.number}: {self.title}"

    @property
    def number(self) -> str:
        return f"{self.minute}/TB-UBND"

    @property
    def published_at(self) -> datetime.datetime:
        return FIRST_DAY + datetime.timedelta(minutes=self.minute)

    def data(self) -> dict:
        """`data` of its event; for a CMS without the revision."""
        if self.withdrawn:
            return {"id": self.article, "revision": self.revision, "reason": self.reason, "at": "2023-11-20T10:00:00+07:00"}
        url = self.url
        at = self.published_at.isoformat()
        if self.kind == "document":
            return {"id": self.article, "revision": self.revision, "number": self.number, "kind": "Thông báo", "url": url,
                    "title": self.title, "issuer": "UBND xã", "areas": [{"id": area} for area in self.areas],
                    "published_at": at}
        return contract.article(
            self.article, self.revision, url=url, title=self.title, category={"slug": self.category, "label": self.category},
            areas=[{"id": area} for area in self.areas], published_at=at, modified_at=at,
            content_html=f"<p>{'Nội dung chi tiết. ' * self.size}</p>")

    def event(self) -> dict:
        return contract.event(f"{self.kind}.{self.verb}", self.data(), id=self.event_id, source=self.source)


@dataclasses.dataclass(slots=True)
class Step:
    """One thing that one producer does. `what`: send, repeat, malformed."""

    at: float
    lane: str
    what: str
    state: State | None = None
    malformed: str = ""
    number: int = 0


def base36(number: int) -> str:
    digits = ""
    while number or not digits:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits


def successors() -> dict[str, str]:
    """Each former area and the one that took its place, from the files an administrator edits."""
    rows = [row for path in sorted(AREAS.glob("*.csv")) for row in csv.DictReader(path.open(encoding="utf-8"))]
    return {row["id"]: row["successors"] for row in rows if row["successors"]}


SUCCESSORS = successors()


def reach(areas: tuple[str, ...]) -> set[str]:
    """The areas an article belongs to: its own, and what became of them."""
    return set(areas) | {SUCCESSORS[area] for area in areas if area in SUCCESSORS}


def journey_of(key: str) -> list[str]:
    """What `loa journey` is asked for an article."""
    slug, _, number = key.rpartition(" ")
    return [number, "--portal", slug] if slug else [number]


class Writer:
    """Writes the plan, step after step, by the dice of the seed."""

    def __init__(self, seed: int, seconds: float, pace: float):
        self.dice = random.Random(f"workload {seed}")
        self.seed, self.seconds, self.pace = seed, seconds, pace
        self.steps: list[Step] = []
        self.states = 0
        self.articles = 0
        self.current: dict[str, dict[str, State]] = {}  # lane -> article -> its last state, as its producer sees it
        self.sent: list[State] = []  # over AMQP, for repeats
        self.firsts: dict[str, State] = {}  # id -> who used it first
        self.users: dict[str, set[str]] = {}  # id -> the portals that use it

    def plan(self) -> list[Step]:
        at, next_malformed, number = 0.0, 2.0, 0
        while at < self.seconds:
            lane = self.dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            {"amqp": self.amqp, "site": self.site}.get(lane, lambda at: self.cms(lane, at))(at)
            if at >= next_malformed:
                self.steps.append(Step(at, "amqp", "malformed", malformed=self.dice.choice(sorted(MALFORMED))))
                next_malformed += max(MALFORMED_EVERY, self.seconds / MALFORMED_MAX) * self.dice.uniform(0.5, 1.5)
            at += self.dice.expovariate(self.pace)
        self.steps.sort(key=lambda step: step.at)
        for number, step in enumerate(self.steps):
            step.number = number
        return self.steps

    def mark(self) -> str:
        self.states += 1
        return base36(self.states)

    def fresh(self, lane: str, kind: str) -> State:
        """The first state of something that nobody has heard of."""
        self.articles += 1
        number, mark, portal = self.articles, self.mark(), self.dice.choice(LANES[lane])
        prefix = {"amqp": "a", "site": "w"}.get(lane, "h") + ("v" if kind == "document" else "")
        state = State(
            mark, f"{prefix}{self.seed}-{number:05}", 1, False, self.event_id(lane, mark),
            portal.source, kind, "" if kind == "document" else self.category(number),
            self.areas(), number, "issued" if kind == "document" else "published", self.size())
        if lane == "site":  # it says neither of what its articles are about, nor which event tells of them
            state.category, state.areas, state.is_watched = WATCHED_CATEGORY, (), True
            return state
        rival = self.rival(portal, kind)
        if rival is not None and self.dice.random() < EQUAL_IDS:
            state.article = rival.article
            if lane == "amqp" and rival.event_id:
                state.event_id = rival.event_id
        self.firsts.setdefault(state.article, state)
        self.users.setdefault(state.article, set()).add(portal.slug)
        return state

    def rival(self, portal: Publisher, kind: str) -> State | None:
        """Something recent of another portal, under an id that this one has not used."""
        found = [state for state in list(self.firsts.values())[-60:] if state.kind == kind and portal.slug not in self.users[state.article]]
        return self.dice.choice(found) if found else None

    def event_id(self, lane: str, mark: str) -> str:
        # the id settles what is left equal, so it must not grow with time
        return f"{self.dice.getrandbits(32):08x}-{mark}" if lane == "amqp" else ""

    def category(self, number: int) -> str:
        return f"muc-{number // BLOCK}-{self.dice.choice('ab')}"

    def areas(self) -> tuple[str, ...]:
        return tuple(sorted(self.dice.sample(ABOUT, self.dice.choice([0, 1, 1, 1, 2]))))

    def size(self) -> int:
        return self.dice.choices([4, 40, 1000], [80, 18, 2])[0]

    def next_state(self, lane: str, old: State, withdrawn: bool, step: int = 1) -> State:
        mark = self.mark()
        verb = "withdrawn" if withdrawn else "issued" if old.kind == "document" else "updated"
        moved = self.dice.random() < 0.25 and not old.is_watched
        category = self.category(old.minute) if old.category and moved and not withdrawn else old.category
        areas = self.areas() if moved and not withdrawn else old.areas
        return dataclasses.replace(
            old, mark=mark, revision=old.revision + step, withdrawn=withdrawn, event_id=self.event_id(lane, mark),
            category=category, areas=areas, verb=verb, size=self.size())

    def pick(self, lane: str, live: bool) -> State | None:
        """A state that may be followed by another: mostly of something recent."""
        found = [state for state in list(self.current.get(lane, {}).values())[-60:] if state.withdrawn != live]
        return self.dice.choice(found) if found else None

    def send(self, at: float, lane: str, state: State) -> None:
        self.steps.append(Step(at, lane, "send", state))
        if lane == "amqp":
            self.sent.append(state)

    def stands(self, lane: str, state: State) -> None:
        self.current.setdefault(lane, {}).pop(state.key, None)  # to the end: it is recent
        self.current[lane][state.key] = state

    def cms(self, lane: str, at: float) -> None:
        """A CMS does one thing after the other, and knows what intake answered."""
        choice = self.dice.choices(["new", "document", "update", "withdraw", "again", "repeat"], [40, 8, 25, 12, 5, 10])[0]
        old = self.pick(lane, live=choice != "again") if choice not in ("new", "document") else None
        if choice == "repeat" and old:
            self.steps.append(Step(at, lane, "repeat", old))
            return
        if old is None:
            state = self.fresh(lane, "document" if choice == "document" else "article")
        else:
            state = self.next_state(lane, old, withdrawn=choice == "withdraw")
            if choice == "again" and state.kind == "article":
                state.verb = "published"
        self.send(at, lane, state)
        self.stands(lane, state)

    def site(self, at: float) -> None:
        """The editor of the portal that is watched publishes and edits."""
        old = self.pick("site", live=True) if self.dice.random() < 0.4 else None
        state = self.next_state("site", old, withdrawn=False) if old else self.fresh("site", "article")
        self.send(at, "site", state)
        self.stands("site", state)

    def amqp(self, at: float) -> None:
        kinds = {"new": 36, "document": 7, "update": 22, "withdraw": 8, "again": 3, "repeat": 9, "overtaken": 5,
                 "withdrawn first": 4, "twins": 2, "withdrawn twin": 2, "binary": 2}
        choice = self.dice.choices(list(kinds), list(kinds.values()))[0]
        late = at + self.dice.uniform(0.0, 6.0)
        if choice == "repeat" and self.sent:
            self.steps.append(Step(at, "amqp", "repeat", self.dice.choice(self.sent[-200:])))
            return
        if choice == "withdrawn first":
            first = self.fresh("amqp", "article")
            gone = self.next_state("amqp", first, withdrawn=True)
            self.send(at, "amqp", gone)
            self.send(late, "amqp", first)
            self.stands("amqp", gone)
            return
        old = self.pick("amqp", live=choice != "again") if choice not in ("new", "document", "binary") else None
        if old is None:
            state = self.fresh("amqp", "document" if choice == "document" else "article")
            self.send(at, "amqp", state)
        elif choice == "overtaken":  # a newer state overtakes an older one
            between = self.next_state("amqp", old, withdrawn=self.dice.random() < 0.3)
            state = self.next_state("amqp", between, withdrawn=self.dice.random() < 0.2)
            self.send(at, "amqp", state)
            self.send(late, "amqp", between)
        elif choice in ("twins", "withdrawn twin"):  # a careless producer: one revision, two events
            state = self.next_state("amqp", old, withdrawn=False)
            other = self.next_state("amqp", old, withdrawn=choice != "twins")
            self.send(at, "amqp", state)
            self.send(late, "amqp", other)
            state = max(state, other, key=lambda s: s.version)
        else:
            state = self.next_state("amqp", old, withdrawn=choice == "withdraw")
            self.send(at, "amqp", state)
        self.stands("amqp", state)


def without(*path: str):
    def make(good: dict) -> bytes:
        place = good
        for name in path[:-1]:
            place = place[name]
        del place[path[-1]]
        return json.dumps(good).encode()
    return make


def with_data(**changes):
    return lambda good: json.dumps(good | {"data": good["data"] | changes}).encode()


# name -> a good event into bytes that must end in the dead letters of every outlet
MALFORMED = {
    "not-json": lambda good: b"\xff\xfe this is not JSON",
    "empty": lambda good: b"",
    "cut-short": lambda good: json.dumps(good).encode()[:-40],
    "no-title": without("data", "title"),
    "no-specversion": without("specversion"),
    "not-a-date": with_data(published_at="16/11/2023"),
    "revision-is-text": with_data(revision="one"),
    "other-subject": lambda good: json.dumps(good | {"subject": "somebody-else"}).encode(),
    "unknown-type": lambda good: json.dumps(good | {"type": "vn.loa.article.exploded.v1"}).encode(),
    "too-large": with_data(content_html="<p>" + "x" * 1_100_000 + "</p>"),
}


def plan(seed: int, seconds: float, pace: float) -> list[Step]:
    """All steps of a run, in order of time."""
    return Writer(seed, seconds, pace).plan()
