"""The total-queue oracle: what was acknowledged against what came out. Finds what is lost, what is wrong, and what was doubled.

Uses only outside views: feeds over HTTP, mails and webhooks received, commands and the API. Every accusation names the
article, the outlet, and what was seen last; `report.py` adds the faults that were near and the journey.
"""

import dataclasses
import urllib.parse

from installation import http

from house import House
from journal import Journal
from mailserver import UnreliableMailServer
from model import Endpoint, Model, Wish, webhook_id
from operations import Operator, named
from portal import Delivery, Portal
from producers import Cms, Foreign
from workload import HOME, SUCCESSORS, State, journey_of

ENTRIES_MAX = 200  # feed.entries_max of the run
OUTLETS = ("archive", "feed", "digest", "push")


@dataclasses.dataclass
class Finding:
    """One thing that is not as it should be. `at`: when it should have happened, for the faults near it."""

    outlet: str
    what: str
    article: str = ""
    at: float = 0.0
    until: float = 0.0


class Account:
    """One look at everything. `transient`: what may still settle is told apart from what is wrong for good."""

    def __init__(self, journal: Journal, house: House, model: Model, mail: UnreliableMailServer, portal: Portal, operator: Operator,
                 producers: list, wishes: list[Wish], endpoints: list[Endpoint], refused: frozenset[str], deleted: list):
        self.journal, self.house, self.model, self.mail, self.portal = journal, house, model, mail, portal
        self.operator, self.producers, self.wishes, self.endpoints = operator, producers, wishes, endpoints
        self.refused, self.deleted = refused, deleted
        self.lost: list[Finding] = []
        self.wrong: list[Finding] = []
        self.duplicates: dict[str, int] = {"feed": 0, "digest": 0, "push": 0, "dead": 0}
        self.explained: list[str] = []
        self.blind: list[str] = []  # what could not be looked at
        self.uncertain: list[str] = []  # the system says itself that it does not know

    def look(self) -> "Account":
        self.look_at_feeds()
        self.look_at_webhooks()
        self.look_at_mails()
        self.look_at_runs()
        self.look_at_dead_letters()
        self.look_at_the_rest()
        return self

    def is_clean(self) -> bool:
        return not (self.lost or self.wrong or self.blind)

    def since(self, state: State) -> float:
        return self.model.acknowledged_at.get(state.mark, 0.0)

    # ── feeds ──

    def look_at_feeds(self) -> None:
        # the feeds of former areas lead on to their successors' (docs/adr/0012), which are looked at themselves
        feeds = {name: entries for name, entries in self.model.feeds().items() if name.removeprefix("area-") not in SUCCESSORS}
        for address in self.house.addresses("feed"):
            for name, entries in sorted(feeds.items()):
                try:
                    answer = http("GET", f"{address}/feeds/{name}.json", timeout=30)
                except OSError as error:
                    self.blind.append(f"feed {name}: {error!r}")
                    continue
                if answer.status != 200:
                    self.blind.append(f"feed {name}: {answer.status}")
                    continue
                self.compare_feed(name, entries, answer.json())
            self.look_at_the_gone(address)

    def compare_feed(self, name: str, entries: list[State], document: dict) -> None:
        wanted = entries[:ENTRIES_MAX]
        by_url = {state.url: state for state in (self.model.attempts | self.model.states).values()}
        shown: dict[str, str] = {}  # address -> title
        for item in document["items"]:
            state = by_url.get(item["url"])
            if item["url"] in shown:
                self.wrong.append(Finding("feed", f"{item['url']} stands twice in the feed {name}", state.key if state else ""))
            shown[item["url"]] = item["title"]
            if state is not None:
                self.judge_owner(name, state, item)
        for state in wanted:
            title = shown.get(state.url)
            if title is None:
                self.lost.append(Finding("feed", f"{state.shown_title} is not in the feed {name}", state.key, self.since(state)))
            elif title != state.shown_title:
                self.wrong.append(Finding("feed", f"the feed {name} shows {title!r}; {state.shown_title!r} stands", state.key, self.since(state)))
        standing = {state.url for state in wanted}
        for url, title in shown.items():
            if url not in standing:
                key = by_url[url].key if url in by_url else ""
                self.wrong.append(Finding("feed", self.why_not_there(name, key, title), key))
        order = [item["url"] for item in document["items"]]
        if set(order) == standing and order != [state.url for state in wanted]:
            self.wrong.append(Finding("feed", f"the feed {name} is not in order of publication"))

    def judge_owner(self, name: str, state: State, item: dict) -> None:
        """Nothing stands under another portal's name: neither in its id, nor, where a feed mixes, in words."""
        if not item["id"].startswith(state.portal.tag):
            self.wrong.append(Finding("feed", f"{state.title} of {state.portal.slug} stands in the feed {name} under the id {item['id']}", state.key))
        authors = [author["name"] for author in item.get("authors", ())]
        if not name.startswith("portal-") and authors[-1:] != [state.portal.name]:
            self.wrong.append(Finding("feed", f"{state.title} of {state.portal.slug} stands in the feed {name} under the names {authors}", state.key))

    def why_not_there(self, feed: str, article: str, title: str) -> str:
        if article not in self.model.articles:
            return f"the feed {feed} shows {title!r}, which nobody published"
        final = self.model.final(article)
        if final.withdrawn:
            return f"the feed {feed} still shows {title!r}, withdrawn by [e{final.mark}]"
        return f"the feed {feed} shows {title!r}, which does not belong there"

    def look_at_the_gone(self, address: str) -> None:
        gone = self.model.gone()
        for state in gone[-50:]:  # the feeds have said already that they stand nowhere; this is the page of each
            try:
                status = http("GET", f"{address}/a/{urllib.parse.quote(state.key)}", timeout=10).status
            except OSError as error:
                self.blind.append(f"/a/{state.key}: {error!r}")
                continue
            if status != 410:
                finding = Finding("feed", f"/a/{state.key} answers {status}; it was withdrawn by [e{state.mark}]", state.key, self.since(state))
                (self.lost if status == 404 else self.wrong).append(finding)

    # ── webhooks ──

    def look_at_webhooks(self) -> None:
        by_id: dict[str, State] = {webhook_id(state): state for state in self.model.states.values() if not state.is_watched}
        by_mark = {state.mark: state for state in self.model.states.values() if state.is_watched}  # Loa gives their events ids
        with self.portal.lock:
            seen = dict(self.portal.seen)
        for endpoint in self.endpoints:
            delivered: dict[str, list[tuple[State, float]]] = {}  # article -> (state, first time)
            by_state: dict[str, Delivery] = {}  # mark -> what came of it
            for (name, number), delivery in seen.items():
                if name != endpoint.name:
                    continue
                state = by_id.get(number) or by_mark.get(delivery.mark)
                taken = delivery.delivered()
                if state is None:
                    if not self.is_attempted(number):
                        self.wrong.append(Finding("push", f"{name} got a webhook of an event nobody published: {number}", at=delivery.attempts[0].at))
                    continue
                if state.mark in by_state:
                    self.wrong.append(Finding("push", f"{name} was told of {state.title} under two webhook-ids", state.key, delivery.attempts[0].at))
                by_state[state.mark] = delivery
                if delivery.changed:
                    self.wrong.append(Finding("push", f"the body of {number} ({state.title}) changed between attempts at {name}", state.key, delivery.attempts[0].at))
                if (delivery.source, delivery.portal) != (state.source, "" if state.portal is HOME else state.portal.slug):
                    self.wrong.append(Finding("push", f"{name} got {state.title} of {state.portal.slug} as of {delivery.source} ({delivery.portal or 'home'})",
                                              state.key, delivery.attempts[0].at))
                if not endpoint.wants(state) and not state.is_watched:
                    self.wrong.append(Finding("push", f"{name} got {state.type} of {state.key}, which it does not want", state.key, delivery.attempts[0].at))
                if taken:
                    delivered.setdefault(state.key, []).append((state, taken[0].at))
                if len(taken) > 1:
                    self.doubled_webhook(name, state, taken)
            self.missing_webhooks(endpoint, delivered)
            self.undone_webhooks(endpoint, delivered, by_state)
        self.beyond_gone(seen)

    def is_attempted(self, number: str) -> bool:
        """An event that was never acknowledged may have come in all the same. Only while producers are still at it."""
        return any(producer.is_alive() for producer in self.producers) or number.startswith("test_")

    def missing_webhooks(self, endpoint: Endpoint, delivered: dict[str, list[tuple[State, float]]]) -> None:
        for article, states in self.model.articles.items():
            came = [state for state, _ in delivered.get(article, ())]
            highest = max((state.version for state in came), default=None)
            marks = {state.mark for state in came}
            for state in states:
                if endpoint.wants(state) and state.mark not in marks and (highest is None or state.version > highest):
                    self.lost.append(Finding("push", f"{endpoint.name} never took {state.title} ({state.verb}, {webhook_id(state)})", article, self.since(state)))

    def undone_webhooks(self, endpoint: Endpoint, delivered: dict, by_state: dict) -> None:
        """A newer version may overtake, and is never undone: no attempt of an older one after a newer one was taken."""
        for article, states in delivered.items():
            for newer, at in states:
                for older in self.model.articles[article]:
                    delivery = by_state.get(older.mark)
                    if older.version >= newer.version or delivery is None:
                        continue
                    late = [attempt for attempt in delivery.attempts if attempt.at > at]
                    if late and not self.explain("push", at - 1, late[0].at, *PUSH_ROWS, f":{endpoint.name}"):
                        self.wrong.append(Finding("push", f"{endpoint.name} had {newer.title} and was sent {older.title} after it", article, at, late[0].at))

    def doubled_webhook(self, name: str, state: State, taken: list) -> None:
        for before, after in zip(taken, taken[1:]):
            self.duplicates["push"] += 1
            what = f"{name} took {state.title} again after {after.at - before.at:.1f} s, under the same webhook-id"
            if not before.whole:
                self.explained.append(f"{what}: the sender never heard the first answer ({before.moods})")
                continue
            near = self.explain("push", before.at - 1, before.at + PUSH_RECORD_SECONDS, *PUSH_ROWS)
            if near:
                self.explained.append(f"{what}: after the send, before the record ({near})")
            else:
                self.wrong.append(Finding("push", f"{what}; no crash explains it", state.key, before.at, after.at))

    def beyond_gone(self, seen: dict) -> None:
        """No attempt at an endpoint once it is known as gone, but for what was under way."""
        closings = self.operator.closings + [(name, at, float("inf")) for name, at in self.operator.closed.items()]
        for name, closed_at, enabled_at in closings:
            for (endpoint, number), delivery in seen.items():
                if endpoint != name:
                    continue
                late = [attempt for attempt in delivery.attempts if closed_at + GONE_GRACE_SECONDS < attempt.at < enabled_at]
                if late and not self.explain("push", closed_at - 60, late[0].at, "stop:push", "stop:up", "stop*"):
                    self.wrong.append(Finding("push", f"{name} had answered 410 and was tried again with {number}", at=closed_at, until=late[0].at))

    def explain(self, outlet: str, begin: float, end: float, *rows: str) -> str:
        """The faults near, in words; empty when there are none."""
        near = self.journal.near(begin, end, *rows)
        return ", ".join(f"{window.kind} {window.target} at {window.begin - self.journal.began:.1f} s" for window in near[:3])

    # ── mails ──

    def is_uncertain(self, address: str, article: str) -> bool:
        """Whether a mail to this mailbox about this article is accounted for as uncertain: twice the sender was lost in the
        middle of its dialogue, and it is not sent a third time (ARCHITECTURE.md, "after the send, before the record")."""
        runs = self.uncertain_runs.get(address)
        if not runs:
            return False
        steps, _ = self.house.try_command("journey", *journey_of(article))
        return any(step.get("mails", {}).get("uncertain", 0) > 0 and named(step["run"]) in runs for step in steps or ())

    def look_at_mails(self) -> None:
        self.uncertain_runs = self.operator.uncertain_mails()
        for wish in self.wishes:
            mails = self.mail.kept.get(wish.address, {})
            Mailbox(self, wish, dict(mails)).look()
        for address in self.mail.kept:
            if address not in {wish.address for wish in self.wishes}:
                self.wrong.append(Finding("digest", f"{address} got a mail and never asked for one"))
        for fault in self.mail.faults:
            self.wrong.append(Finding("digest", fault))

    def look_at_runs(self) -> None:
        """planned = sent + failed + suppressed + uncertain, and what counts as sent has come."""
        came: dict[int, int] = {}
        for mails in list(self.mail.kept.values()):
            for mail in mails.values():
                came[mail.run] = came.get(mail.run, 0) + 1
        for number, account in sorted(self.operator.accounts.items()):
            ends = sum(account[word] for word in ("sent", "failed", "suppressed", "uncertain"))
            if account["planned"] != ends:
                self.lost.append(Finding("digest", f"run {number} ({account['run']}) does not come to an end: {account}"))
            elif came.get(number, 0) < account["sent"]:
                self.lost.append(Finding("digest", f"run {number} counts {account['sent']} mails as sent; {came.get(number, 0)} came"))
            elif came.get(number, 0) > account["sent"] + account["failed"] + account["suppressed"] + account["uncertain"]:
                self.wrong.append(Finding("digest", f"run {number} counts {account}; {came[number]} came"))
        for text in self.operator.unbalanced:
            self.wrong.append(Finding("digest", text))

    # ── dead letters, and what else should not be ──

    def look_at_dead_letters(self) -> None:
        foreign = next((producer for producer in self.producers if isinstance(producer, Foreign)), None)
        malformed = dict(foreign.malformed) if foreign else {}
        for outlet in OUTLETS:
            letters, why = self.house.try_command("dead-letters", "list", "--queue", outlet)
            if letters is None:
                self.blind.append(f"dead letters of {outlet}: {why}")
                continue
            numbers = [letter["message_id"] for letter in letters]
            for letter in letters:
                if letter["message_id"] not in malformed:
                    self.wrong.append(Finding(outlet, f"a good event is in the dead letters of {outlet}: {letter}", article=letter["message_id"]))
                elif len(letter["reason"]) < 10:
                    self.wrong.append(Finding(outlet, f"a dead letter without a reason to act on: {letter}"))
            for number, (what, at) in malformed.items():
                if number not in numbers and not self.may_miss(outlet, number, at):
                    self.lost.append(Finding(outlet, f"the malformed message {number} ({what}) is not in the dead letters of {outlet}", at=at))
            self.duplicates["dead"] += len(numbers) - len(set(numbers))

    def may_miss(self, outlet: str, number: str, at: float) -> bool:
        """Only what a deleted queue took with it: see injection.py."""
        return any(deleted.may_have_taken(outlet, number, at) for deleted in self.deleted)

    def look_at_the_rest(self) -> None:
        for producer in self.producers:
            if isinstance(producer, Cms):
                for fault in producer.faults:
                    self.wrong.append(Finding("intake", fault))
        for line in self.house.panics():
            self.wrong.append(Finding("intake", f"a panic: {line}"))


PUSH_RECORD_SECONDS = 20.0  # an attempt's longest time, and recording it on a busy machine
GONE_GRACE_SECONDS = 6.0
DIGEST_RECORD_SECONDS = 40.0  # a chunk of ten mails is recorded together, after the slowest
PUSH_ROWS = ("kill:push", "stop:push", "term:push", "kill:up", "stop:up", "term:up", "clock*", "disk*", "kill:postgres", "stop:postgres",
             "tcp*:push>postgres", "tcp*:up>postgres")
DIGEST_ROWS = ("kill:digest", "stop:digest", "term:digest", "kill:up", "stop:up", "term:up", "smtp*", "clock*", "disk*",
               "kill:postgres", "stop:postgres", "tcp*:digest>postgres", "tcp*:up>postgres")


class Mailbox:
    """One subscriber's mails against its wish."""

    def __init__(self, account: Account, wish: Wish, mails: dict):
        self.account, self.wish, self.mails, self.model = account, wish, mails, account.model
        self.told: dict[str, dict[str, set[str]]] = {}  # article -> mark -> Message-IDs with it as news or update
        self.corrected: dict[str, dict[str, set[str]]] = {}  # article -> withdrawal's mark -> Message-IDs
        self.hidden_at = max((copy.at for mail in mails.values() for copy in mail.copies if copy.hidden), default=0.0)
        self.may_fail = wish.address in account.refused

    def look(self) -> None:
        for number, mail in self.mails.items():
            self.doubled(number, mail)
            for copy in mail.copies:
                if not copy.lines:
                    self.wrong(f"an empty digest: {number}", at=copy.at)
                for line in copy.lines:
                    self.take(number, line, copy.at)
        for article in self.model.articles:
            self.judge(article)

    def wrong(self, what: str, article: str = "", at: float = 0.0) -> None:
        self.account.wrong.append(Finding("digest", f"{self.wish.address}: {what}", article, at))

    def doubled(self, number: str, mail) -> None:
        for before, after in zip(mail.copies, mail.copies[1:]):
            self.account.duplicates["digest"] += 1
            what = f"{self.wish.address} got {number} again after {after.at - before.at:.1f} s, under the same Message-ID"
            if not before.acknowledged:
                self.account.explained.append(f"{what}: the sender never heard that it was taken ({before.mood})")
                continue
            near = self.account.explain("digest", before.at - 1, before.at + DIGEST_RECORD_SECONDS, *DIGEST_ROWS)
            if near:
                self.account.explained.append(f"{what}: after the send, before the record ({near})")
            else:
                self.wrong(f"{what}; no crash explains it", at=before.at)

    def take(self, number: str, line, at: float) -> None:
        state = self.model.states.get(line.mark)
        if state is None:
            if not self.account.is_attempted(line.mark):
                self.wrong(f"a line with [e{line.mark}], which nobody published", at=at)
            return
        if line.portal != state.portal.name:
            self.wrong(f"{state.title} of {state.portal.slug} is told under the name {line.portal!r}", state.key, at)
        if line.kind == "correction":
            self.corrected.setdefault(state.key, {}).setdefault(line.reason_mark, set()).add(number)
            return
        self.told.setdefault(state.key, {}).setdefault(line.mark, set()).add(number)
        # what was edited reads as edited, so an earlier state may be why it is there
        if not any(self.wish.matches(earlier) for earlier in self.model.articles[state.key]
                   if earlier.version <= state.version and not earlier.withdrawn):
            self.wrong(f"{state.title} is none of its wish", state.key, at)

    def judge(self, article: str) -> None:
        final = self.model.final(article)
        told, corrected = self.told.get(article, {}), self.corrected.get(article, {})
        for mark, numbers in told.items():
            if len(numbers) > 1:
                self.wrong(f"{self.model.states[mark].title} was told again under another Message-ID: {sorted(numbers)}", article)
        for mark, numbers in corrected.items():
            if len(numbers) > 1:
                self.wrong(f"the withdrawal [e{mark}] was told again under another Message-ID: {sorted(numbers)}", article)
        if final.withdrawn:
            self.judge_correction(article, final, told, corrected)
        # a revision is told once: of two events that claim the same one, a mail may tell the one that came first
        elif (self.wish.matches(final) and not any(self.model.states[mark].revision == final.revision for mark in told)
              and not self.may_be_hidden(article)):
            self.missing(f"{self.wish.address} was never told {final.title}", article, final)

    def judge_correction(self, article: str, final: State, told: dict, corrected: dict) -> None:
        shown = max((self.model.states[mark].version for mark in told), default=None)
        answers = [state.version for mark in corrected if (state := self.model.states.get(mark)) is not None]
        if shown is not None and not any(version > shown for version in answers) and not self.may_be_hidden(article):
            self.missing(f"{self.wish.address} was told of {article} and never of its withdrawal [e{final.mark}]", article, final)
        if shown is None and corrected and not self.may_be_hidden(article):
            begin = min(self.account.since(state) for state in self.model.articles[article])
            if not self.account.explain("digest", begin, self.account.since(final) + 60, *DIGEST_ROWS):
                self.wrong(f"a correction of {article}, which it was never told of", article, begin)

    def missing(self, what: str, article: str, final: State) -> None:
        if self.account.is_uncertain(self.wish.address, article):
            self.account.uncertain.append(what)
        else:
            self.account.lost.append(Finding("digest", what, article, self.account.since(final)))

    def may_be_hidden(self, article: str) -> bool:
        """A mail with too many lines says only how many more there are; and who is refused may miss mails."""
        first = min(self.account.since(state) for state in self.model.articles[article])
        return first < self.hidden_at or self.may_fail

