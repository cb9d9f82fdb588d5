"""Those who publish: CMSs that repeat what was not answered, and a foreign producer over AMQP with confirms.

Each goes through its steps in order, at their time or, when it was held up, as soon as it can. What is acknowledged goes
into the model; from then on the system owes it.
"""

import json
import threading
import time
import urllib.parse

import pika
import pika.exceptions
from contract import EXCHANGE, STRUCTURED, routing_key
from installation import http

from house import House
from journal import Journal
from model import Model
from workload import HOME, LANES, MALFORMED, State, Step

TAKEN = (200, 202)
PAUSE = 0.1  # between tries
TRY_SECONDS = 5
GRACE = 0.5  # for a request that was waiting before the one that was answered


class Producer(threading.Thread):
    """One lane of steps."""

    def __init__(self, lane: str, steps: list[Step], house: House, model: Model, journal: Journal):
        super().__init__(daemon=True, name=lane)
        self.steps, self.house, self.model, self.journal = [s for s in steps if s.lane == lane], house, model, journal
        self.lane, self.done, self.tries, self.faults = lane, 0, 0, []
        self.give_up = threading.Event()

    def run(self) -> None:
        try:
            for step in self.steps:
                while (wait := self.journal.began + step.at - time.time()) > 0:
                    if self.give_up.wait(min(wait, 1.0)):
                        return
                if not self.carry_out(step):
                    return
                self.done += 1
        except Exception as error:  # noqa: BLE001 (told to the run)
            self.journal.trouble(f"{self.lane} broke at step {self.done}: {error!r}")

    def carry_out(self, step: Step) -> bool:
        """One step, until it is acknowledged. False: told to give up."""
        raise NotImplementedError

    def acknowledged(self, step: Step, state: State) -> None:
        self.model.acknowledged(state, time.time())
        self.journal.write("acknowledged", lane=self.lane, step=step.number, did=step.what, article=state.key, mark=state.mark,
                           revision=state.revision, withdrawn=state.withdrawn, event=state.event_id, tries=self.tries)


class Cms(Producer):
    """Posts to intake for its portal, to which its token is bound; any replica will do."""

    def __init__(self, *arguments, token: str):
        super().__init__(*arguments)
        self.token = token
        [self.portal] = LANES[self.lane]
        self.doubtful: set[str] = set()  # addresses that did not answer, and may still do what was asked

    def carry_out(self, step: Step) -> bool:
        state, self.tries = step.state, 0
        self.model.attempted(state, time.time())
        data = state.data()
        if self.lane != "cms-0":  # one CMS counts by itself, the others let intake count
            del data["revision"]
        if state.withdrawn:
            method, path, body = "DELETE", f"/v1/articles/{urllib.parse.quote(state.article)}", {"reason": state.reason}
        else:
            method, path, body = "POST", "/v1/articles", data if state.kind == "article" else {"document": data}
        while not self.give_up.is_set():
            addresses = self.house.addresses("intake")
            address = addresses[(self.tries + step.number) % len(addresses)]
            self.tries += 1
            try:
                answer = http(method, address + path, json.dumps(body).encode(), timeout=TRY_SECONDS,
                              Authorization=f"Bearer {self.token}", Content_Type="application/json")
            except OSError as error:
                if not isinstance(getattr(error, "reason", error), ConnectionRefusedError):
                    self.doubtful.add(address)
                time.sleep(PAUSE)
                continue
            if answer.status in TAKEN:
                self.taken(step, state, answer.json())
                self.make_sure()
                return True
            if answer.status < 500:
                self.faults.append(f"intake refused a good {method} of {state.article} [e{state.mark}] with {answer.status}: {answer.text}")
                return True
            time.sleep(PAUSE)
        return False

    def make_sure(self) -> None:
        """A request that was given up may still be carried out by a process that stands still, and would then undo what
        came after it: nothing goes on before that process has answered again (or is gone)."""
        while self.doubtful and not self.give_up.is_set():
            address = next(iter(self.doubtful))
            try:
                http("GET", f"{address}/healthz", timeout=2)
            except OSError as error:
                if not isinstance(getattr(error, "reason", error), ConnectionRefusedError):
                    time.sleep(PAUSE)
                    continue
            time.sleep(GRACE)
            self.doubtful.discard(address)

    def taken(self, step: Step, state: State, receipt: dict) -> None:
        """Intake counts the revisions; one thing at a time, so it is known what it must count to."""
        if receipt.get("portal", HOME.slug) != self.portal.slug:
            self.faults.append(f"{state.key} [e{state.mark}] was taken as an article of {receipt.get('portal')}")
        if receipt["revision"] != state.revision:
            self.faults.append(f"{state.article} [e{state.mark}]: intake counted to revision {receipt['revision']}, not {state.revision}")
        if step.what == "send":
            state.event_id, state.revision = receipt["event_id"], receipt["revision"]
        elif receipt["event_id"] != state.event_id:
            self.faults.append(f"{state.article} [e{state.mark}]: a repeat was given another event id")
        self.acknowledged(step, state)


class Foreign(Producer):
    """Publishes over AMQP, straight to the broker: persistent, mandatory, confirmed, again under the same id when in doubt."""

    def __init__(self, *arguments, url: str):
        super().__init__(*arguments)
        self.url = url
        self.channel = None
        # mark -> state, begun at, confirmed at: of what was confirmed at the first try, and not repeated since
        self.once: dict[str, tuple[State, float, float]] = {}
        self.malformed: dict[str, tuple[str, float]] = {}  # message id -> (what is wrong with it, when it was confirmed)

    def carry_out(self, step: Step) -> bool:
        self.tries = 0
        if step.what == "malformed":
            number = f"bad-{step.number}-{step.malformed}"
            good = State(f"x{step.number}", f"bad-{step.number}", 1, False, number, "https://dienbiendong.gov.vn/", "article",
                         "muc-0-a", (), 0, "published", 1)
            if not self.publish(MALFORMED[step.malformed](good.event()), "article.published.muc-0-a", number, STRUCTURED, None):
                return False
            self.malformed[number] = (step.malformed, time.time())
            self.journal.write("acknowledged", lane=self.lane, step=step.number, did="malformed", id=number, tries=self.tries)
            return True
        state, began = step.state, time.time()
        self.model.attempted(state, began)
        self.once.pop(state.mark, None)  # whoever lost it may have it from the repeat
        event = state.event()
        if step.number % 5 == 0:  # binary mode
            headers = {f"cloudEvents:{name}": value for name, value in event.items() if name not in ("data", "datacontenttype")}
            taken = self.publish(json.dumps(event["data"], ensure_ascii=False).encode(), routing_key(event), state.event_id,
                                 "application/json", headers)
        else:
            taken = self.publish(json.dumps(event, ensure_ascii=False).encode(), routing_key(event), state.event_id, STRUCTURED, None)
        if taken:
            if step.what == "send" and self.tries == 1:
                self.once[state.mark] = (state, began, time.time())
            self.acknowledged(step, state)
        return taken

    def publish(self, body: bytes, key: str, number: str, content_type: str, headers: dict | None) -> bool:
        """Until it is confirmed. False: told to give up."""
        properties = pika.BasicProperties(content_type=content_type, message_id=number, headers=headers, delivery_mode=2)
        while not self.give_up.is_set():
            self.tries += 1
            try:
                if self.channel is None:
                    self.connect()
                self.channel.basic_publish(EXCHANGE, key, body, properties, mandatory=True)
                return True
            except (pika.exceptions.AMQPError, OSError) as error:
                self.journal.write("not confirmed", id=number, error=repr(error)[:200])
                self.disconnect()
                time.sleep(PAUSE)
        return False

    def connect(self) -> None:
        parameters = pika.URLParameters(self.url)
        parameters.heartbeat, parameters.blocked_connection_timeout = 0, 5
        parameters.socket_timeout, parameters.stack_timeout = 5, 8
        self.channel = pika.BlockingConnection(parameters).channel()
        self.channel.confirm_delivery()

    def disconnect(self) -> None:
        channel, self.channel = self.channel, None
        try:
            if channel is not None and channel.connection.is_open:
                channel.connection.close()
        except (pika.exceptions.AMQPError, OSError):
            pass  # it is gone either way
