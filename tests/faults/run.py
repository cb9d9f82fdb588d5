"""One run: sets the system up, lets producers and faults loose, stops the faults, waits until it has settled, accounts."""

import argparse
import contextlib
import datetime
import functools
import pathlib
import re
import time
import traceback
import urllib.parse
import zoneinfo
from concurrent.futures import ThreadPoolExecutor

from broker import Broker
from contract import Amqp
from database import Database, Pooler, make_database
from installation import until

import report
import workload
from account import ENTRIES_MAX, Account, Finding
from gaps import Gaps
from house import House
from injection import Injector
from journal import Journal
from machine import Clock, Disk
from mailserver import UnreliableMailServer
from model import Endpoint, Model, Wish
from operations import FREQUENCIES, RUNS_MAX, Operator
from portal import Portal
from producers import Cms, Foreign
from proxy import Proxies, Proxy
from reader import Reader
from schedule import Fault, replicas_of
from watched import NAME, Editor, Site

TOTAL_TIMEOUT = 2.5  # push.total_timeout_ms, in seconds
REFUSED = "khong-con@nason.example"
PRODUCERS_LATE_MAX = 120
QUIET_SECONDS = 3
SAY_EVERY = 15
REPLAY_EVERY = 15
REPLAY_LINE = re.compile(r"`(loa replay [^`]+)`")
SETTLE_TIMES_MAX = 5
READ_EVERY = 2.5
PRINTED_MAX = 120  # lines of the account that are printed; all of it stands in account.txt
DISK_BYTES_A_STEP = 40_000  # four ledgers, their indexes and logs

WISHES = [
    Wish("tat-ca@nason.example", "immediate"),
    Wish("hang-ngay@nason.example", "daily"),
    Wish("na-son@nason.example", "immediate", "na-son-03203-2025", "Na Son"),
    Wish("muong-luan@nason.example", "daily", "muong-luan-03214-2025", "Mường Luân"),
    Wish("chuyen-muc@nason.example", "weekly", categories=tuple(f"muc-{n}-a" for n in range(40))),
    Wish(REFUSED, "immediate"),
]
ENDPOINTS = [
    Endpoint("tinh"),
    Endpoint("so", ("vn.loa.article.published.v1", "vn.loa.article.updated.v1", "vn.loa.article.withdrawn.v1")),
]


class Run:
    """See the module's words."""

    def __init__(self, folder: pathlib.Path, command: str, given: argparse.Namespace, faults: list[Fault]):
        self.folder, self.command, self.given, self.faults = folder, command, given, faults
        self.journal = Journal(folder)
        self.model = Model()
        self.broker: Broker | None = None
        self.database: Database | None = None
        self.house: House | None = None
        self.replayed_at = self.closed_at = 0.0
        self.looked = False  # whether the portal that is watched was looked at since the last fault
        self.owing = {"feed", "digest", "push"}  # outlets that may still owe something

    def carry_out(self) -> int:
        try:
            with contextlib.ExitStack() as self.ends:
                return self.run()
        except Exception as error:  # noqa: BLE001 (whatever it is, such a run proves nothing)
            self.journal.trouble(f"the run broke: {error!r}")
            (self.folder / "traceback.txt").write_text(traceback.format_exc())
            print(f"kept: {self.folder}", flush=True)
            return 1

    def run(self) -> int:
        self.set_up()
        steps = workload.plan(self.given.seed, self.given.seconds, self.given.pace)
        self.journal.began = time.time()
        self.journal.say(f"{len(steps)} steps of producers and {len(self.faults)} faults in {self.given.seconds:g} s")
        self.producers = [Cms(lane, steps, self.house, self.model, self.journal, token=self.tokens[lane]) for lane in workload.CMS]
        self.producers.append(Editor("site", steps, self.house, self.model, self.journal, site=self.site))
        if self.broker:
            self.producers.append(Foreign("amqp", steps, self.house, self.model, self.journal, url=self.house.amqp_url))
        self.reader = Reader(self.house, self.model, self.journal, READ_EVERY)
        self.reader.start()
        self.operator.start()
        for producer in self.producers:
            producer.start()
        foreign = next((producer for producer in self.producers if isinstance(producer, Foreign)), None)
        self.gaps = Gaps(self.house, self.journal, foreign, self.injector.deleted)
        self.injector.run(self.faults, self.given.seconds)
        self.wait_for_the_end()
        faults_ended = time.time()
        self.journal.say("no more faults")
        self.operator.end()
        account, settled = self.settle(faults_ended)
        return self.close(account, settled)

    # ── before ──

    def set_up(self) -> None:
        self.portal = Portal(self.journal, TOTAL_TIMEOUT)
        self.mail = UnreliableMailServer(self.journal, frozenset({REFUSED}))
        self.hands = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")
        amqp_url = self.start_broker() if self.given.bus == "rabbitmq" else None
        postgres_url = self.start_database() if self.given.shape == "postgres" else None
        disk = self.mount() if any(fault.kind == "disk" for fault in self.faults) else None
        self.replicas = replicas_of(self.given.shape, self.given.bus)
        self.house = House(self.folder / "loa", amqp_url, postgres_url, self.settings(), self.journal, self.hands, self.replicas)
        self.ends.callback(self.house.end)
        clocks = self.fake_clocks() if any(fault.kind.startswith("clock") for fault in self.faults) else {}
        ways = self.lead_through_proxies()
        self.house.command("migrate")
        for portal in workload.OTHERS:
            self.house.command("portals", "add", portal.slug, "--name", portal.name, "--url", portal.source, "--tag-date", workload.TAG_DATE)
        self.house.start_all()
        until(60, "every process is ready", lambda: not self.house.unready())
        self.site = Site(zoneinfo.ZoneInfo(self.zone))
        self.site.watch(self.house, workload.WATCHED.slug)
        self.tokens = {"operate": self.house.json("token", "create", "--scope", "operate", "--name", "operate")["secret"]}
        for lane in workload.CMS:
            [portal] = workload.LANES[lane]
            words = ("token", "create", "--scope", "publish", "--name", lane, "--portal", portal.slug)
            self.tokens[lane] = self.house.json(*words)["secret"]
        self.operator = Operator(self.house, self.journal, 5.0, self.tokens)
        for endpoint in ENDPOINTS:
            types = [word for kind in endpoint.types for word in ("--event", kind)]
            self.operator.endpoints[endpoint.name] = self.house.json("endpoints", "add", self.portal.url(endpoint.name), *types)["id"]
        for wish in WISHES:
            area = ["--area", wish.area_name] if wish.area_name else []
            categories = [word for slug in wish.categories for word in ("--category", slug)]
            self.house.command("subscribers", "add", wish.address, "--frequency", wish.frequency, *area, *categories)
        self.injector = Injector(self.journal, self.house, self.broker, self.portal, self.mail, self.operator)
        self.injector.site = self.site
        self.injector.clocks, self.injector.disk, self.injector.proxies, self.injector.database = clocks, disk, ways, self.database
        time.sleep(6)  # RabbitMQ 3.10.8 must not be killed right after its queues were made (docs/operating)

    def start_broker(self) -> str:
        self.journal.say("start a RabbitMQ of the run's own")
        self.broker = Broker(self.folder / "broker")
        self.ends.callback(self.broker.stop)
        self.hands.submit(self.broker.start).result()
        return f"{self.broker.addresses()['url']}/%2f"

    def mount(self) -> Disk:
        """A data folder that can be full."""
        mib = min(512, 96 + int(self.given.seconds * self.given.pace * DISK_BYTES_A_STEP / 2**20))
        disk = Disk(self.folder / "loa" / "data", mib)
        self.ends.callback(disk.close, self.folder / "loa" / "ledgers")
        return disk

    def start_database(self) -> str:
        """PostgreSQL, and PgBouncer for the second replicas: what holds straight must hold through a pooler."""
        self.journal.say("start a PostgreSQL of the run's own")
        self.database = Database(self.folder / "postgresql")
        self.ends.callback(self.database.stop)
        self.hands.submit(self.database.start).result()
        self.pooler = Pooler(self.folder / "pgbouncer", self.database)
        self.ends.callback(self.pooler.stop)
        self.hands.submit(self.pooler.start).result()
        return make_database(self.database.addresses(), "loa")

    def fake_clocks(self) -> dict[str, Clock]:
        """A clock for each machine, for all its processes; commands are given on the first."""
        clocks = {f"machine-{number}": Clock(self.folder / "loa", number) for number in range(1, self.replicas + 1)}
        for name, extra in self.house.extra.items():
            extra.update(clocks[f"machine-{name.rpartition('-')[2]}"].environment())
        self.house.extra_of_commands.update(clocks["machine-1"].environment())
        return clocks

    def lead_through_proxies(self) -> dict[str, list[Proxy]]:
        """Each process has ways of its own to the servers; commands and producers go straight to them."""
        proxies, ways = Proxies(), {}
        for name in self.house.processes:
            service, _, replica = name.rpartition("-")
            for server, section, port in self.servers(replica):
                way = proxies.to("127.0.0.1", port)
                ways.setdefault(f"{service}>{server}", []).append(way)
                address = urllib.parse.urlsplit(str(self.house.settings[f"{section}.url"]))
                variable = f"LOA__{section.replace('.', '__').upper()}__URL"
                self.house.extra[name][variable] = address._replace(netloc=f"{address.username}@127.0.0.1:{way.port}").geturl()
        return ways

    def servers(self, replica: str) -> list[tuple[str, str, int]]:
        """What a process of this replica talks to: the server's name, its section of the settings, its port."""
        servers = [("broker", "bus.rabbitmq", self.broker.amqp_port)] if self.broker else []
        if self.database:
            servers.append(("postgres", "store.postgres", (self.database if replica == "1" else self.pooler).port))
        return servers

    @functools.cached_property
    def zone(self) -> str:
        """One where it is 22:00 at the start: no scheduled digest for the next nine hours."""
        hour = datetime.datetime.now(datetime.timezone.utc).hour
        ahead = (22 - hour + 11) % 24 - 11
        return f"Etc/GMT{-ahead:+d}"

    def settings(self) -> dict[str, object]:
        """Short leases and retries, so that minutes are enough; all within what the configuration allows."""
        return {
            "site.zone": self.zone,
            "portal.name": workload.HOME.name,
            "watch.allow_networks": ["127.0.0.0/8"], "watch.pause_ms": 0, "watch.total_timeout_ms": 2000, "watch.connect_timeout_ms": 1000,
            "watch.look_seconds_max": 5, "watch.every_seconds": 1,
            "feed.entries_max": ENTRIES_MAX, "feed.document_bytes_max": 50_000_000, "feed.tombstones_max": 100,
            "push.connect_timeout_ms": 1000, "push.total_timeout_ms": int(TOTAL_TIMEOUT * 1000), "push.in_flight_per_endpoint_max": 8,
            "push.retry.delays_seconds": [1, 1, 2, 2, 3] + [4] * 200, "push.short_attempts_max": 200,
            "push.breaker_open_seconds": 2, "push.breaker_open_seconds_max": 4,
            "intake.audit_seconds": 2, "intake.audit_delay_seconds": 5, "intake.heartbeat_seconds": 3,
            "intake.relay_lease_seconds": 15, "intake.relay_retry_seconds_max": 2,
            "bus.rabbitmq.confirm_timeout_seconds": 5, "bus.rabbitmq.connect_timeout_seconds": 3, "bus.rabbitmq.heartbeat_seconds": 5,
            "digest.smtp.host": "127.0.0.1", "digest.smtp.port": self.mail.port, "digest.smtp.tls": "none", "digest.smtp.timeout_seconds": 3,
            "digest.immediate_window_seconds": 5, "digest.lease_seconds": 20, "digest.retry_delays_seconds": [2, 3, 5],
        }

    # ── after ──

    def wait_for_the_end(self) -> None:
        """Producers finish what they began; they were held up by the faults."""
        deadline = self.journal.began + self.given.seconds + PRODUCERS_LATE_MAX
        for producer in self.producers:
            producer.join(max(0.1, deadline - time.time()))
            if producer.is_alive():
                producer.give_up.set()
                producer.join(20)
                self.journal.trouble(f"{producer.name} was held up at step {producer.done} of {len(producer.steps)}")

    def look(self) -> Account:
        return Account(self.journal, self.house, self.model, self.mail, self.portal, self.operator, self.producers, WISHES, ENDPOINTS,
                       frozenset({REFUSED}), self.injector.deleted).look()

    def settle(self, since: float) -> tuple[Account, float | None]:
        """Works as an operator until nothing is owed any more; gives up after a while, and what is owed then is lost."""
        deadline, said_at, fewest = since + self.given.settle, 0.0, float("inf")
        while True:
            quiet = self.put_in_order()
            account = self.look()
            if quiet and account.is_clean():
                settled = time.time() - since
                time.sleep(QUIET_SECONDS)  # what comes now comes too much
                return self.look(), settled
            owed = len(account.lost) + len(account.wrong) + len(account.blind)
            self.owing = {finding.outlet for finding in account.lost + account.wrong}
            if owed < fewest:  # a slow machine is not a loss: as long as it gets better, it may go on
                fewest, deadline = owed, min(time.time() + self.given.settle, since + SETTLE_TIMES_MAX * self.given.settle)
            if time.time() > deadline:
                if not quiet:
                    account.lost.append(Finding("all", f"the system does not come to rest: {self.restless()}"))
                account.lost += self.gaps.findings()
                return account, None
            if time.time() - said_at < SAY_EVERY:
                time.sleep(2)
                continue
            said_at = time.time()
            self.journal.say(f"settling: {len(account.lost)} owed, {len(account.wrong)} not right, {len(account.blind)} not seen"
                             + (f"; {next(iter(account.lost + account.wrong)).what[:110]}" if account.lost or account.wrong else ""))
            time.sleep(2)

    def restless(self) -> str:
        """What keeps the system from being at rest."""
        waiting = sum(account["waiting"] for account in self.operator.accounts.values())
        return f"not ready: {self.house.unready() or 'none'}; faults: {self.house.faults()}; mails waiting: {waiting}; webhooks pending: {self.operator.pending()}"

    def put_in_order(self) -> bool:
        """What an operator does when all is over. Whether nothing waits."""
        for name in self.house.processes:
            if name in self.house.held:
                self.house.start_one(name)
        quiet = not self.house.unready()
        if not self.looked:  # after failures a portal is looked at less often
            self.looked = not self.house.try_command("watch", "run", NAME)[1]
        quiet &= self.looked
        self.replay()
        quiet &= self.close_gaps()
        for endpoint in ENDPOINTS:
            if endpoint.name in self.operator.closed or endpoint.name in self.operator.to_enable:
                quiet &= self.operator.let_have(endpoint.name)
        self.operator.look_at_endpoints()
        quiet &= self.operator.send_digests(*FREQUENCIES)
        quiet &= self.operator.look_at_runs(RUNS_MAX)
        return quiet and self.operator.pending() == 0

    def close_gaps(self) -> bool:
        """Gives the commands that the audit names, and no other; none to an outlet of which something is yet to be named.
        Whether all is named, and nothing more."""
        faults = self.house.faults()
        if faults is None:
            return False
        named = {name.split()[1]: text for name, text in faults.items() if name.startswith("completeness ")}
        if time.time() < self.closed_at + REPLAY_EVERY:
            return not named and not self.gaps.unnamed()
        self.gaps.look()
        for outlet, text in sorted(named.items()):
            for line in REPLAY_LINE.findall(text) if self.gaps.may_be_brought_back(outlet) else ():
                self.journal.say(f"the audit names a gap: {line}")
                self.house.try_command(*line.split()[1:], seconds=300)
                self.closed_at = time.time()
        return not named and not self.gaps.unnamed()

    def replay(self) -> None:
        """What only a deleted queue held comes back from the archive, once the archive has everything."""
        outlets = {deleted.outlet for deleted in self.injector.deleted if not deleted.by_audit} & self.owing
        assert not outlets & {deleted.outlet for deleted in self.injector.deleted if deleted.by_audit}, "the schedule keeps them apart"
        if not outlets or time.time() < self.replayed_at + REPLAY_EVERY:
            return
        client = Amqp(self.house.amqp_url)
        archived = client.depth("loa.archive") == 0
        client.close()
        if archived:
            for outlet in sorted(outlets):
                self.house.try_command("replay", "--outlet", outlet, seconds=300)
            self.replayed_at = time.time()

    def close(self, account: Account, settled: float | None) -> int:
        if not any(window.effects for window in self.journal.windows if window.number >= 0):
            self.journal.trouble("no fault had any effect: nothing was tried")
        by_audit = [deleted for deleted in self.injector.deleted if deleted.by_audit]
        if by_audit:
            self.journal.say(f"{len(by_audit)} faults for the audit to name; {len(self.gaps.named)} of them took something for certain, "
                             "and it was named before it came back")
        windows = [window for window in self.journal.windows if window.number >= 0]
        if sum(window.effects > 0 for window in windows) * 2 < len(windows):
            self.journal.trouble("most faults met nobody: too little was tried")
        self.reader.over.set()
        account.wrong += [Finding("feed", text) for text in self.reader.went_back]
        if not self.reader.reads:
            self.journal.trouble("no feed could be read during the run")
        bad = bool(account.lost or account.wrong or account.blind or self.journal.troubles)
        last = report.write(self.folder, self.command, self.journal, self.house, self.model, account, self.producers, settled, int(bad))
        text = (self.folder / "account.txt").read_text().splitlines()
        print("\n".join(text[:-1][:PRINTED_MAX]))
        print(f"kept: {self.folder}")
        print(last)
        return int(bad)
