"""Carries the schedule out: each fault begins, lasts, and ends; what it did is counted, for a fault that did nothing proves nothing.

One method for each family of kinds. A fault that cannot be injected is trouble of the run, never skipped in silence.
"""

import os
import signal
import threading
import time

from broker import Broker

from house import House
from journal import Journal, Window
from mailserver import UnreliableMailServer
from operations import Operator
from portal import Portal
from schedule import Fault


CLOSED_SECONDS_MAX = 40  # a process that died with the 410 in its hand asks again when its lease has ended


class Injector:
    """Has its hands on everything that can be broken."""

    def __init__(self, journal: Journal, house: House, broker: Broker | None, receivers: Portal, mail: UnreliableMailServer,
                 operator: Operator):
        self.journal, self.house, self.broker, self.operator = journal, house, broker, operator
        self.receivers, self.mail = receivers, mail
        self.threads: list[threading.Thread] = []
        self.stopping = threading.Event()
        self.broker_lock = threading.Lock()

    def run(self, faults: list[Fault]) -> None:
        """Carries out the whole schedule; returns when the last fault has ended."""
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
        action = getattr(self, family)
        window = self.journal.open_window(fault.number, fault.kind, fault.target)
        try:
            action(fault, window)
        except Exception as error:  # noqa: BLE001 (told to the run)
            self.journal.trouble(f"fault {fault.number} ({fault.kind} {fault.target}) could not be injected: {error!r}")
        finally:
            self.journal.close_window(window)

    # ── processes ──

    def kill(self, fault: Fault, window: Window) -> None:
        if fault.target == "broker":
            with self.broker_lock:
                self.broker.kill()
                window.effects = 1
                time.sleep(fault.seconds)
                self.house.hands.submit(self.broker.start).result()
            return
        for name in self.house.names(fault.target)[:1] if fault.number % 3 else self.house.names(fault.target):
            window.effects += self.house.kill_one(name)
        time.sleep(fault.seconds)
        self.start_held(fault.target)
        self.until_ready(fault.target)

    def stop(self, fault: Fault, window: Window) -> None:
        """SIGSTOP, and SIGCONT after a while."""
        if fault.target == "broker":
            with self.broker_lock:
                self.signal_broker(signal.SIGSTOP)
                window.effects = 1
                time.sleep(fault.seconds)
                self.signal_broker(signal.SIGCONT)
            return
        names = self.house.names(fault.target)[:1] if fault.number % 3 else self.house.names(fault.target)
        for name in names:
            window.effects += self.house.signal_one(name, signal.SIGSTOP)
        time.sleep(fault.seconds)
        for name in names:
            self.house.signal_one(name, signal.SIGCONT)

    def term(self, fault: Fault, window: Window) -> None:
        """A soft stop: it must end with 0 and in time."""
        for name in self.house.names(fault.target):
            code = self.house.end_softly(name)
            window.effects += 1
            window.note += f"{name} ended with {code}; "
            if code != 0:
                self.operator.unbalanced.append(f"{name} was told to end and ended with {code}")
        time.sleep(fault.seconds)
        self.start_held(fault.target)
        self.until_ready(fault.target)

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

    def portal(self, fault: Fault, window: Window) -> None:
        self.receivers.moods[fault.target] = (fault.kind, window)
        time.sleep(fault.seconds)
        self.receivers.moods.pop(fault.target, None)
        if fault.kind == "portal-410" and window.effects:
            self.until_seen_closed(fault.target)
            window.note = "enabled again" if self.operator.let_have(fault.target) else "to be enabled at the end"

    def until_seen_closed(self, target: str) -> None:
        """What answered 410 must be seen as disabled before it is enabled again."""
        deadline = time.time() + CLOSED_SECONDS_MAX
        while time.time() < deadline and target not in self.operator.closed:
            self.operator.look_at_endpoints()
            time.sleep(0.5)

    def smtp(self, fault: Fault, window: Window) -> None:
        self.mail.mood = (fault.kind, window)
        if fault.kind == "smtp-policy":
            self.operator.policy = window
        # somebody must be sending while the server misbehaves
        self.operator.send_digests("immediate", "daily")
        time.sleep(max(0.0, fault.seconds - (time.time() - window.begin)))
        self.mail.mood = None
        self.operator.policy = None
