"""Which fault comes when: made from the seed before the start. Pure.

A kind is a word (`kill`, `portal-500`) with targets; the bag of all (kind, target) pairs is shuffled and used up before
it is filled again, so that each comes as often as every other. Which kinds there are depends on the shape.
"""

import dataclasses
import random

SERVICES = ("intake", "feed", "digest", "push")
EVERY = (*SERVICES, "watch")
WARM_UP = 3.0  # seconds without faults at the beginning
COOL_DOWN = 2.0  # and at the end

# After queues were declared, RabbitMQ 3.10.8 must not be killed for a while (docs/operating: "killed in the second its queues were made").
BROKER_LEFT_ALONE = 15.0


REPLAYED = ("queue",)  # after these an operator replays the outlet, whatever the audit says
NAMED = ("unbind", "purge", "unbound")  # what these took must be named


@dataclasses.dataclass
class Fault:
    """One fault: from `at` (seconds after the start) for `seconds`, on `target`."""

    number: int
    at: float
    kind: str
    target: str
    seconds: float
    step: int = 0  # of a clock, in seconds


@dataclasses.dataclass(frozen=True)
class Kind:
    """What can go wrong: on which targets, for how long."""

    name: str
    targets: tuple[str, ...]
    shortest: float
    longest: float
    weight: int = 1  # how often it lies in the bag


PORTAL = tuple(
    Kind(f"portal-{name}", ("tinh",), shortest, longest)
    for name, shortest, longest in (
        ("500", 1, 8), ("429", 1, 4), ("redirect", 1, 6), ("drip", 2, 8), ("silent", 2, 8), ("late", 2, 8), ("reset", 1, 5)))
GONE = (Kind("portal-410", ("so",), 3, 10),)
SMTP = tuple(
    Kind(f"smtp-{name}", ("mail",), shortest, longest)
    for name, shortest, longest in (
        ("421", 2, 8), ("451", 2, 8), ("550", 3, 8), ("policy", 2, 8), ("silent", 2, 8), ("mute", 2, 8), ("drop", 2, 8), ("away", 2, 8)))
# the portal that is watched
SITE = tuple(
    Kind(f"site-{name}", ("site",), shortest, longest)
    for name, shortest, longest in (("500", 1, 6), ("404", 1, 6), ("page", 1, 6), ("empty", 1, 6), ("silent", 2, 6), ("cut", 1, 5)))
PROCESSES = (
    Kind("kill", EVERY, 0.2, 3, weight=2),
    Kind("stop", EVERY, 1, 8),
    Kind("term", EVERY, 0.1, 2),
)
BROKER = (
    Kind("kill", ("broker",), 0.5, 4),
    Kind("stop", ("broker",), 1, 12),
    Kind("alarm", ("broker",), 2, 10),
    # never the archive's: no command brings back what only that queue held, though every outlet has its own copy
    Kind("queue", ("loa.feed", "loa.digest", "loa.push"), 0.2, 3),
    # what these take is in no queue and no ledger: the audit must name it, with the line that brings it back
    Kind("unbind", ("loa.feed", "loa.digest", "loa.push"), 2, 6),
    Kind("purge", ("loa.feed", "loa.digest", "loa.push"), 0.5, 2),
    Kind("unbound", ("loa.feed", "loa.digest", "loa.push"), 2, 6),
    Kind("tcp-reset", tuple(f"{service}>broker" for service in SERVICES), 0.1, 0.5),
    Kind("tcp-hole", tuple(f"{service}>broker" for service in SERVICES), 2, 15),
)
POSTGRES = (
    Kind("kill", ("postgres",), 0.5, 4, weight=2),
    Kind("stop", ("postgres",), 1, 12, weight=2),
    Kind("tcp-reset", tuple(f"{service}>postgres" for service in EVERY), 0.1, 0.5),
    Kind("tcp-hole", tuple(f"{service}>postgres" for service in EVERY), 2, 15),
)
SQLITE = (Kind("disk", ("data",), 2, 8, weight=2),)


def clocks(machines: int) -> tuple[Kind, ...]:
    """On several machines each clock is wrong by itself."""
    targets = tuple(f"machine-{number}" for number in range(1, machines + 1))
    return Kind("clock-back", targets, 2, 10), Kind("clock-forward", targets, 2, 10)


def kinds_of(shape: str, bus: str) -> tuple[Kind, ...]:
    """All kinds of faults that a shape can have."""
    kinds = PROCESSES if bus == "rabbitmq" else tuple(dataclasses.replace(kind, targets=("up",), weight=4) for kind in PROCESSES)
    kinds += PORTAL + GONE + SITE + SMTP + clocks(replicas_of(shape, bus))
    if shape == "sqlite":
        kinds += SQLITE
    elif bus == "rabbitmq":
        kinds += POSTGRES
    else:
        kinds += tuple(dataclasses.replace(kind, targets=("up>postgres",)) if kind.name.startswith("tcp") else kind for kind in POSTGRES)
    if bus == "rabbitmq":
        kinds += BROKER
    return kinds


def replicas_of(shape: str, bus: str) -> int:
    """How many of each service: on PostgreSQL and RabbitMQ two, each on a machine of its own."""
    return 2 if shape == "postgres" and bus == "rabbitmq" else 1


def names_of(shape: str, bus: str) -> list[str]:
    """The names `--only` may give."""
    return sorted({kind.name for kind in kinds_of(shape, bus)} | {f"{k.name}:{t}" for k in kinds_of(shape, bus) for t in k.targets})


def plan(seed: int, seconds: float, every: float, shape: str, bus: str, only: frozenset[str]) -> list[Fault]:
    """The faults of a run, in order of time."""
    dice = random.Random(f"schedule {seed}")
    pairs = pairs_of(seed, shape, bus, only)
    faults: list[Fault] = []
    at, bag = WARM_UP, []
    busy: dict[str, float] = {}  # one target has one fault at a time
    while pairs and at < seconds - COOL_DOWN:
        if not bag:
            bag = pairs.copy()
            dice.shuffle(bag)
        kind, target = bag.pop()
        # long ones now and then: a lease ends, a broker gives a connection up
        long = 1.0 if dice.random() < 0.85 else 3.0
        length = min(dice.uniform(kind.shortest, kind.longest) * long, max(0.2, seconds - COOL_DOWN - at))
        begin = max(at, busy.get(resource(kind.name, target), 0.0))
        if begin < seconds - COOL_DOWN:
            length = min(length, seconds - begin)
            faults.append(Fault(0, round(begin, 3), kind.name, target, round(length, 3), step_of(kind.name, dice)))
            busy[resource(kind.name, target)] = begin + length + settle_of(kind.name, target)
        at += dice.expovariate(1 / every)
    faults.sort(key=lambda fault: fault.at)
    for number, fault in enumerate(faults):
        fault.number = number
    return faults


def pairs_of(seed: int, shape: str, bus: str, only: frozenset[str] = frozenset()) -> list[tuple[Kind, str]]:
    """The bag of a run: each kind with each of its targets, as often as it weighs. An outlet has faults after which it is
    replayed as a whole, or faults of which the audit must name what they took; the seed says which. Of both in one run, a
    replay would close what nobody named."""
    dice = random.Random(f"outlets {seed}")
    pairs = [
        (kind, target) for kind in kinds_of(shape, bus) for target in kind.targets for _ in range(kind.weight)
        if not only or kind.name in only or f"{kind.name}:{target}" in only
    ]
    replayed = {target for kind, target in pairs if kind.name in REPLAYED}
    both = sorted(replayed & {target for kind, target in pairs if kind.name in NAMED})
    # one of them is enough for what is known already, and the audit has the others
    given_up = {target: REPLAYED for target in both}
    if both:
        given_up[dice.choice(both)] = NAMED
    return [(kind, target) for kind, target in pairs if kind.name not in given_up.get(target, ())]


def step_of(kind: str, dice: random.Random) -> int:
    """How far a clock is stepped: as far as a machine without NTP is off. What was put off by it is put off so long."""
    step = dice.choice([5, 20, 45, 90])
    return {"clock-back": -step, "clock-forward": step}.get(kind, 0)


def resource(kind: str, target: str) -> str:
    """What has one fault at a time."""
    return "broker" if kind in (*REPLAYED, *NAMED) else target


def settle_of(kind: str, target: str) -> float:
    """How long a target is left alone after a fault, so that it is not down all the time."""
    if resource(kind, target) == "broker":
        return BROKER_LEFT_ALONE
    return {"kill": 3.0, "stop": 2.0, "term": 2.0}.get(kind, 1.0)
