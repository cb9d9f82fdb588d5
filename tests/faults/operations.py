"""What an operator does during a run, with the commands and the API an operator has: sends digests, resumes stopped runs,
lets endpoints have their webhooks again, and redrives what only he can.
"""

import collections
import threading
import time

from installation import http

from house import House
from journal import Journal, Window

RUNS_MAX = 1000  # as many as are listed
FREQUENCIES = ("immediate", "daily", "weekly")


def named(run: dict) -> str:
    """A run's name, of its parts."""
    return "-".join(filter(None, (run["frequency"], run["on"], run["slot"])))


class Operator(threading.Thread):
    """Goes round until told to end. `gone`: the endpoint that may answer 410."""

    def __init__(self, house: House, journal: Journal, every: float, tokens: dict[str, str]):
        super().__init__(daemon=True, name="operator")
        self.house, self.journal, self.every, self.tokens = house, journal, every, tokens
        self.endpoints: dict[str, str] = {}  # name -> id
        self.over = threading.Event()
        self.closed: dict[str, float] = {}  # endpoint -> since when it is seen as disabled
        self.closings: list[tuple[str, float, float]] = []  # endpoint, seen disabled at, about to be enabled at
        self.accounts: dict[int, dict] = {}  # run -> its last account
        self.unbalanced: list[str] = []
        self.rounds = 0
        self.to_enable: set[str] = set()  # endpoints that could not be enabled when they should have been
        self.policy: Window | None = None  # while the mail server refuses us, nobody resumes

    def run(self) -> None:
        while not self.over.wait(self.every):
            try:
                self.go_round()
            except Exception as error:  # noqa: BLE001 (told to the run)
                self.journal.trouble(f"the operator stumbled: {error!r}")

    def go_round(self) -> None:
        self.send_digests(FREQUENCIES[self.rounds % len(FREQUENCIES)])
        self.rounds += 1
        self.look_at_runs()
        self.look_at_endpoints()
        for name in list(self.to_enable):
            self.let_have(name)

    def end(self) -> None:
        self.over.set()
        self.join(90)

    # ── digests ──

    def send_digests(self, *frequencies: str) -> bool:
        """`loa digest run`. It sends by itself, so it is a sender that can die, too."""
        well = True
        for frequency in frequencies:
            window = Window(-1, "kill", "digest", time.time())
            _, why = self.house.try_command("digest", "run", "--frequency", frequency)
            if why:
                # it may have ended in the middle of a mail
                window.end = time.time()
                window.note = f"loa digest run: {why}"
                with self.journal.lock:
                    self.journal.windows.append(window)
                well = False
        return well

    def look_at_runs(self, limit: int = 100) -> bool:
        """Keeps each run's account, resumes what is paused. Whether nothing waits any more."""
        answer = self.ask("GET", "digest", f"/v1/digest-runs?limit={limit}")
        if answer is None:
            return False
        waiting = 0
        for run in answer["runs"]:
            account = run["account"]
            self.accounts[run["id"]] = account | {"run": named(run), "paused": run["paused"]}
            waiting += account["waiting"]
            if account["planned"] != sum(account[word] for word in ("sent", "failed", "suppressed", "uncertain", "waiting")):
                self.unbalanced.append(f"run {run['id']}: {account}")
            if run["paused"] and self.policy is None:
                self.resume(run)
        listed = {run["id"] for run in answer["runs"]}
        # however many came after them
        stuck = self.ask("GET", "digest", f"/v1/digest-runs?state=stuck&limit={RUNS_MAX}")
        for run in stuck["runs"] if stuck else ():
            if run["id"] not in listed and run["paused"] and self.policy is None:
                self.resume(run)
        for number, account in self.accounts.items():
            if account["waiting"] and number not in listed and limit == RUNS_MAX:
                waiting += self.recount(number, account)
        return waiting == 0

    def resume(self, run: dict) -> None:
        self.journal.write("resumed", run=run["id"], why=run["paused"])
        self.ask("POST", "digest", f"/v1/digest-runs/{run['id']}/resume")

    def recount(self, number: int, account: dict) -> int:
        """Counts a run that is too old to be listed by its mails. Returns how many wait."""
        answer = self.ask("GET", "digest", f"/v1/digest-runs/{number}/mails?limit=1000")
        if answer is None:
            return account["waiting"]
        states = collections.Counter(mail["state"] for mail in answer["mails"])
        account |= {word: states[word] for word in ("sent", "failed", "suppressed", "uncertain")}
        account["waiting"] = states["planned"] + states["submitting"]
        return account["waiting"]

    def uncertain_mails(self) -> dict[str, set[str]]:
        """Mailbox -> runs whose mail to it is accounted for as uncertain."""
        found: dict[str, set[str]] = {}
        for number, account in list(self.accounts.items()):
            answer = self.ask("GET", "digest", f"/v1/digest-runs/{number}/mails?limit=1000") if account["uncertain"] else None
            for mail in answer["mails"] if answer else ():
                if mail["state"] == "uncertain":
                    found.setdefault(mail["email"], set()).add(account["run"])
        return found

    # ── endpoints ──

    def look_at_endpoints(self) -> None:
        listed, _ = self.house.try_command("endpoints", "list")
        names = {number: name for name, number in self.endpoints.items()}
        for endpoint in listed or ():
            name = names.get(endpoint["id"])
            if name and endpoint["state"]["state"] == "disabled":
                self.closed.setdefault(name, time.time())

    def let_have(self, name: str) -> bool:
        """Enables an endpoint, and redrives what it refused with its 410."""
        number = self.endpoints[name]
        seen = self.closed.pop(name, None)
        if seen is not None:
            self.closings.append((name, seen, time.time()))
        _, why = self.house.try_command("endpoints", "enable", number)
        well = not why and self.redrive(number)
        (self.to_enable.discard if well else self.to_enable.add)(name)
        return well

    def redrive(self, number: str) -> bool:
        answer = self.ask("GET", "push", f"/v1/deliveries?state=failed&endpoint={number}&limit=1000")
        if answer is None:
            return False
        well = True
        for delivery in answer["deliveries"]:
            well &= self.ask("POST", "push", f"/v1/deliveries/{delivery['id']}/redrive", conflict_is_fine=True) is not None
        return well

    def pending(self) -> int | None:
        """Deliveries that wait; at most 1,000 are counted."""
        answer = self.ask("GET", "push", "/v1/deliveries?state=pending&limit=1000")
        return None if answer is None else len(answer["deliveries"])

    def ask(self, method: str, service: str, path: str, conflict_is_fine: bool = False) -> dict | None:
        """One question to the API, of whichever replica answers. `None`: nobody did."""
        for address in self.house.addresses(service):
            try:
                answer = http(method, address + path, b"" if method == "POST" else None, timeout=10,
                              Authorization=f"Bearer {self.tokens['operate']}")
            except OSError:
                continue
            if 200 <= answer.status < 300 or (answer.status == 409 and conflict_is_fine):
                return (answer.json() or {}) if answer.body.strip() else {}
            self.journal.write("operator refused", path=path, status=answer.status, text=answer.text[:300])
        return None
