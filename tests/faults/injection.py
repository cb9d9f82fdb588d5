"""Carries the schedule out: each fault begins, lasts, and ends; what it did is counted, for a fault that did nothing proves nothing.

One method for each family of kinds. A fault that cannot be injected is trouble of the run, never skipped in silence.
"""

import collections
import dataclasses
import json
import os
import signal
import threading
import time
import urllib.error
from concurrent.futures import ThreadPoolExecutor

from broker import Broker, BrokerError
from contract import Amqp
from database import Database, DatabaseError

from house import House
from journal import Journal, Window
from machine import Clock, Disk
from mailserver import UnreliableMailServer
from operations import Operator
from portal import Portal
from proxy import Proxy
from schedule import Fault, resource
from watched import NAME, Site


CLOSED_SECONDS_MAX = 40  # a process that died with the 410 in its hand asks again when its lease has ended


MEET_SECONDS_MAX = 15  # a fault lasts so much longer until it has met somebody


@dataclasses.dataclass
class Deleted:
    """A queue that was deleted, purged or cut off: which dead letters its outlet had before, and when it was whole again.
    `by_audit`: what it cost comes back by the line that the audit names, and by nothing else (`gaps.py` sees to that, and the
    schedule, which gives no outlet faults of both sorts). What was first published and confirmed between `lost_from` and
    `lost_until` is certainly lost to the outlet."""

    outlet: str
    letters: set[str]
    made_again_at: float
    by_audit: bool = False
    kind: str = "queue"
    lost_from: float = float("inf")
    lost_until: float = float("-inf")
    takes_documents: bool = True

    def may_have_taken(self, outlet: str, number: str, at: float) -> bool:
        """Whether it took a malformed message with it, confirmed at `at`."""
        return outlet == self.outlet and number not in self.letters and at < self.made_again_at + 1


class Injector:
    """Has its hands on everything that can be broken."""

    def __init__(self, journal: Journal, house: House, broker: Broker | None, receivers: Portal, mail: UnreliableMailServer,
                 operator: Operator):
        self.journal, self.house, self.broker, self.operator = journal, house, broker, operator
        self.receivers, self.mail = receivers, mail
        self.threads: list[threading.Thread] = []
        self.stopping = threading.Event()
        self.ends_at = float("inf")  # no fault begins after that
        self.locks: dict[str, threading.Lock] = collections.defaultdict(threading.Lock)  # one fault at a time for each resource
        self.database: Database | None = None
        # a thread that lives as long as the run, for the kernel ends a child with the thread that started it; not the one
        # that starts services, which must not wait for a broker
        self.servers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="servers")
        self.clocks: dict[str, Clock] = {}  # by machine
        self.disk: Disk | None = None
        self.site: Site | None = None
        self.proxies: dict[str, list[Proxy]] = {}  # target -> the ways from a service's processes to a server
        self.deleted: list[Deleted] = []

    def run(self, faults: list[Fault], seconds: float) -> None:
        """Carries out the schedule of so many seconds; returns when the last fault has ended."""
        self.ends_at = self.journal.began + seconds
        for fault in faults:
            wait = self.journal.began + fault.at - time.time()
            if wait > 0 and self.stopping.wait(wait):
                break
            thread = threading.Thread(target=self.inject, args=(fault,), daemon=True, name=f"fault {fault.number}")
            thread.start()
            self.threads.append(thread)
            self.threads = [thread for thread in self.threads if thread.is_alive()]
        for thread in self.threads:
            thread.join(120)
            if thread.is_alive():
                self.journal.trouble(f"{thread.name} did not end")

    def inject(self, fault: Fault) -> None:
        family = fault.kind.partition("-")[0]
        action = getattr(self, f"do_{family}")
        lock = self.locks[resource(fault.kind, fault.target)]
        if not lock.acquire(timeout=max(0.1, self.ends_at - time.time())):
            # the one before lasted too long, as on a busy machine a broker that starts: nobody publishes any more
            self.journal.write("fault left out", number=fault.number, kind=fault.kind, target=fault.target)
            return
        window = self.journal.open_window(fault.number, fault.kind, fault.target)
        try:
            action(fault, window)
        except Exception as error:  # noqa: BLE001 (told to the run)
            self.journal.trouble(f"fault {fault.number} ({fault.kind} {fault.target}) could not be injected: {error!r}")
        finally:
            self.journal.close_window(window)
            lock.release()

    def last(self, fault: Fault, window: Window, nudge=lambda: None) -> None:
        """Lets a fault last its time, and longer until it has met somebody; `nudge` helps that to happen, beside."""
        over = window.begin + fault.seconds
        nudger = threading.Thread(target=nudge, daemon=True)
        nudger.start()
        while (now := time.time()) < over or (not window.effects and now < over + MEET_SECONDS_MAX):
            if not window.effects and not nudger.is_alive():
                nudger = threading.Thread(target=nudge, daemon=True)
                nudger.start()
            time.sleep(0.2)

    # ── processes ──

    def do_kill(self, fault: Fault, window: Window) -> None:
        if fault.target == "broker":
            self.broker.kill()
            window.effects = 1
            time.sleep(fault.seconds)
            self.come_back(self.broker)
            return
        if fault.target == "postgres":
            self.database.kill()
            window.effects = 1
            time.sleep(fault.seconds)
            self.come_back(self.database)
            return
        for name in self.some(fault):
            window.effects += self.house.kill_one(name)
        time.sleep(fault.seconds)
        self.start_held(fault.target)
        self.until_ready(fault.target)

    def come_back(self, server: Broker | Database) -> None:
        """Starts a server that was killed; tries again, for a busy machine may take longer than it should."""
        for left in (2, 1, 0):
            try:
                self.servers.submit(server.start).result()
                return
            except (BrokerError, DatabaseError) as error:
                if not left:
                    raise
                self.journal.say(f"a server did not come back, and is started again: {str(error)[:200]}")

    def do_stop(self, fault: Fault, window: Window) -> None:
        """SIGSTOP, and SIGCONT after a while."""
        if fault.target == "broker":
            self.signal_broker(signal.SIGSTOP)
            window.effects = 1
            time.sleep(fault.seconds)
            self.signal_broker(signal.SIGCONT)
            return
        if fault.target == "postgres":
            self.database.freeze()
            window.effects = 1
            time.sleep(fault.seconds)
            self.database.thaw()
            return
        names = self.some(fault)
        for name in names:
            window.effects += self.house.signal_one(name, signal.SIGSTOP)
        time.sleep(fault.seconds)
        for name in names:
            self.house.signal_one(name, signal.SIGCONT)

    def do_term(self, fault: Fault, window: Window) -> None:
        """A soft stop: it must end with 0 and in time. One that is being started on a full disk ends by itself, with 1."""
        for name in self.some(fault):
            began = time.time()
            code = self.house.end_softly(name)
            window.effects += 1
            window.note += f"{name} ended with {code}; "
            with self.journal.lock:
                no_room = any(other.kind == "disk" and other.overlaps(began, time.time()) for other in self.journal.windows)
            if code != 0 and not (code == 1 and no_room):
                self.operator.unbalanced.append(f"{name} was told to end and ended with {code}")
        time.sleep(fault.seconds)
        self.start_held(fault.target)
        self.until_ready(fault.target)

    def some(self, fault: Fault) -> list[str]:
        """One replica of the target, in turn; at times all of them."""
        names = self.house.names(fault.target)
        return names if fault.number % 4 == 0 else [names[fault.number % len(names)]]

    def start_held(self, target: str) -> None:
        for name in self.house.names(target):
            if name in self.house.held:
                self.house.start_one(name)

    def until_ready(self, target: str) -> None:
        """A process that is starting is not there yet: the window lasts until it is, or for a while."""
        deadline = time.time() + 5
        while time.time() < deadline and any(name in self.house.unready() for name in self.house.names(target)):
            time.sleep(0.1)

    def signal_broker(self, number: int) -> None:
        """To every process of the node: it has helpers, and a group of its own."""
        os.killpg(self.broker.server.pid, number)

    # ── receivers ──

    def do_portal(self, fault: Fault, window: Window) -> None:
        self.receivers.moods[fault.target] = (fault.kind, window)
        number = self.operator.endpoints[fault.target]
        # a test webhook meets it when there is nothing else to send; it disables no endpoint
        nudge = lambda: time.sleep(1) if window.effects else self.house.try_command("endpoints", "test", number)  # noqa: E731
        self.last(fault, window, nudge if fault.kind != "portal-410" else lambda: time.sleep(1))
        self.receivers.moods.pop(fault.target, None)
        if fault.kind == "portal-410" and window.effects:
            self.until_seen_closed(fault.target)
            window.note = "enabled again" if self.operator.let_have(fault.target) else "to be enabled later"

    def until_seen_closed(self, target: str) -> None:
        """What answered 410 must be seen as disabled before it is enabled again."""
        deadline = time.time() + CLOSED_SECONDS_MAX
        while time.time() < deadline and target not in self.operator.closed:
            self.operator.look_at_endpoints()
            time.sleep(0.5)

    def do_site(self, fault: Fault, window: Window) -> None:
        self.site.mood = (fault.kind, window)
        # after failures it is asked less often: whoever runs the watch may ask at once
        self.last(fault, window, lambda: self.house.try_command("watch", "run", NAME))
        self.site.mood = None

    def do_smtp(self, fault: Fault, window: Window) -> None:
        self.mail.mood = (fault.kind, window)
        if fault.kind == "smtp-policy":
            self.operator.policy = window
        # somebody must be sending while the server misbehaves
        self.last(fault, window, lambda: self.operator.send_digests("immediate", "daily"))
        self.mail.mood = None
        self.operator.policy = None

    # ── the broker's own troubles, and the way to it ──

    def do_alarm(self, fault: Fault, window: Window) -> None:
        """The memory alarm: whoever publishes is blocked."""
        self.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1MB")
        window.effects = int(self.alarmed())
        time.sleep(fault.seconds)
        self.rabbitmqctl("set_vm_memory_high_watermark", "0.4")

    def alarmed(self) -> bool:
        deadline = time.time() + 10
        while time.time() < deadline:
            try:
                self.broker.call("GET", "/api/health/checks/local-alarms", seconds_max=10)
            except urllib.error.HTTPError as error:
                if error.code == 503:
                    return True
            time.sleep(0.3)
        return False

    def rabbitmqctl(self, *words: str) -> None:
        try:
            self.broker.control(*words)
        except AssertionError as error:
            raise RuntimeError(f"rabbitmqctl {error}") from error

    def do_queue(self, fault: Fault, window: Window) -> None:
        """A queue is deleted under load; an operator makes it anew and replays. What only it held comes from the archive:
        all but malformed messages, which nobody archives; what of them was not yet dead is gone with it."""
        deleted = self.remember(fault)
        self.broker.call("DELETE", f"/api/queues/%2f/{fault.target}")
        window.effects = 1
        time.sleep(fault.seconds)
        self.migrate()
        deleted.made_again_at = time.time()
        _, why = self.house.try_command("replay", "--outlet", deleted.outlet)
        window.note = why

    def do_unbind(self, fault: Fault, window: Window) -> None:
        """A binding is lost for a while. What passed by meanwhile is for the audit to name."""
        deleted = self.remember(fault, by_audit=True)
        deleted.takes_documents = False  # they have a binding of their own
        self.broker.call("DELETE", f"/api/bindings/%2f/e/loa.events/q/{fault.target}/article.%23")
        deleted.lost_from = time.time()
        window.effects = 1
        time.sleep(fault.seconds)
        deleted.lost_until = time.time()
        self.migrate()
        deleted.made_again_at = time.time()

    def do_purge(self, fault: Fault, window: Window) -> None:
        """What is ready in a queue is deleted; its service is down meanwhile, so that all of it is ready, and nothing in its hands."""
        outlet = fault.target.partition(".")[2]
        with self.locks[outlet]:  # nobody else starts it meanwhile
            names = self.house.names(outlet)
            for name in names:
                self.house.kill_one(name)
            try:
                deleted = self.remember(fault, by_audit=True)
                deleted.lost_from = time.time()
                time.sleep(fault.seconds)
                deleted.lost_until = time.time()
                client = Amqp(self.house.amqp_url)
                window.effects = client.channel.queue_purge(fault.target).method.message_count
                client.close()
                window.note = f"{window.effects} messages were deleted"
            finally:
                self.start_held(outlet)
            deleted.made_again_at = time.time()
        self.until_ready(outlet)

    def do_unbound(self, fault: Fault, window: Window) -> None:
        """A queue is made anew by hand, with its arguments and without its bindings; later an operator migrates."""
        deleted = self.remember(fault, by_audit=True)
        path = f"/api/queues/%2f/{fault.target}"
        arguments = json.loads(self.broker.call("GET", path))["arguments"]
        self.broker.call("DELETE", path)
        deleted.lost_from = time.time()
        self.broker.call("PUT", path, {"durable": True, "arguments": arguments})
        window.effects = 1
        time.sleep(fault.seconds)
        deleted.lost_until = time.time()
        self.migrate()
        deleted.made_again_at = time.time()

    def remember(self, fault: Fault, by_audit: bool = False) -> Deleted:
        """That a queue loses what it has; malformed messages in it are lost with it."""
        outlet = fault.target.partition(".")[2]
        letters, _ = self.house.try_command("dead-letters", "list", "--queue", outlet)
        self.deleted.append(Deleted(outlet, {letter["message_id"] for letter in letters or ()}, float("inf"), by_audit, fault.kind))
        return self.deleted[-1]

    def migrate(self) -> None:
        while self.house.try_command("migrate")[1]:
            time.sleep(1)

    def do_tcp(self, fault: Fault, window: Window) -> None:
        proxies = self.proxies[fault.target]
        if fault.kind == "tcp-reset":
            self.last(fault, window, lambda: self.reset(window, proxies))
            return
        window.effects += sum(proxy.swallow() for proxy in proxies)
        time.sleep(fault.seconds)
        window.effects += sum(proxy.let_through() for proxy in proxies)

    @staticmethod
    def reset(window: Window, proxies: list[Proxy]) -> None:
        window.effects += sum(proxy.reset() for proxy in proxies)
        time.sleep(0.2)

    # ── the machine ──

    def do_clock(self, fault: Fault, window: Window) -> None:
        """Stepped away, and after a while back."""
        window.note = f"{fault.step:+d} s"
        clock, replica = self.clocks[fault.target], fault.target.rpartition("-")[2]
        clock.step(fault.step)
        here = [name for name in self.house.processes if name.endswith(f"-{replica}")]
        seen: set[str] = set()
        deadline = window.begin + fault.seconds
        while time.time() < deadline or (not seen and time.time() < deadline + MEET_SECONDS_MAX):
            seen |= {name for name in here if clock.shows(self.house.address(name), fault.step)}
            time.sleep(0.5)
        window.effects = len(seen)
        clock.step(0)

    def do_disk(self, fault: Fault, window: Window) -> None:
        window.effects = int(self.disk.fill())
        time.sleep(fault.seconds)
        self.disk.free()
