"""What must stand at the end, worked out from what was acknowledged, without a line of Loa.

Pure. Versions by docs/adr/0007, feeds and areas by ARCHITECTURE.md ("Received", `reach`), wishes by the glossary.
"""

import dataclasses
import hashlib
import struct

from workload import State, reach


@dataclasses.dataclass(frozen=True)
class Wish:
    """A subscriber: a mailbox and what it wants. Empty means everything."""

    address: str
    frequency: str
    area: str = ""  # by id
    area_name: str = ""  # as typed by an operator
    categories: tuple[str, ...] = ()

    def matches(self, state: State) -> bool:
        return (not self.area or self.area in reach(state.areas)) and (not self.categories or state.category in self.categories)


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """Where webhooks go. No types: all of them."""

    name: str
    types: tuple[str, ...] = ()

    def wants(self, state: State) -> bool:
        return not self.types or state.type in self.types


def webhook_id(state: State) -> str:
    """docs/adr/0006."""
    source, number = state.source.encode(), state.event_id.encode()
    return "evt_" + hashlib.sha256(struct.pack(">Q", len(source)) + source + number).hexdigest()[:32]


def feeds_of(state: State) -> set[str]:
    """The feeds an article or document belongs to."""
    own = f"category-{state.category}" if state.kind == "article" else "documents"
    return {"all", own, f"portal-{state.portal.slug}"} | {f"area-{area}" for area in reach(state.areas)}


class Model:
    """The acknowledged states, by article (its portal and its id there) and by mark. Bounded by what was published."""

    def __init__(self):
        self.states: dict[str, State] = {}  # by mark
        self.articles: dict[str, list[State]] = {}
        self.acknowledged_at: dict[str, float] = {}  # by mark, the first time
        self.attempted_at: dict[str, float] = {}
        self.attempts: dict[str, State] = {}  # by mark, acknowledged or not

    def attempted(self, state: State, at: float) -> None:
        self.attempts[state.mark] = state
        self.attempted_at.setdefault(state.mark, at)

    def acknowledged(self, state: State, at: float) -> None:
        if state.mark not in self.states:
            self.states[state.mark] = state
            self.articles.setdefault(state.key, []).append(state)
            self.acknowledged_at[state.mark] = at

    def final(self, article: str) -> State:
        """The version that stands."""
        return max(self.articles[article], key=lambda state: state.version)

    def feeds(self) -> dict[str, list[State]]:
        """Every feed that ever had something: what stands in it, newest first."""
        feeds: dict[str, list[State]] = {}
        for article, states in self.articles.items():
            for state in states:
                for feed in feeds_of(state):
                    feeds.setdefault(feed, [])
            final = self.final(article)
            for feed in () if final.withdrawn else feeds_of(final):
                feeds[feed].append(final)
        for entries in feeds.values():
            entries.sort(key=lambda state: state.minute, reverse=True)
        return feeds

    def gone(self) -> list[State]:
        """Withdrawn at the end."""
        return [final for article in self.articles if (final := self.final(article)).withdrawn]
