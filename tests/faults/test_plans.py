"""Plans come from the seed alone, and hold everything a run is to try."""

import collections
import json

import pytest
import schedule
import workload
from contract import judge


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_seed_gives_the_same_events_and_the_same_faults_each_time(seed):
    assert workload.plan(seed, 60, 4) == workload.plan(seed, 60, 4) != workload.plan(seed + 1, 60, 4)
    assert schedule.plan(seed, 60, 2, "sqlite", "rabbitmq", frozenset()) == schedule.plan(seed, 60, 2, "sqlite", "rabbitmq", frozenset())


def test_every_kind_of_fault_has_its_turn_before_any_comes_again():
    bag = schedule.pairs_of(5, "sqlite", "rabbitmq")
    faults = schedule.plan(5, len(bag) * 10, 2, "sqlite", "rabbitmq", frozenset())
    assert {(fault.kind, fault.target) for fault in faults} == {(kind.name, target) for kind, target in bag}


def test_every_outlet_has_faults_for_the_audit_or_is_replayed_and_never_both():
    kinds = {(kind.name, target) for kind in schedule.kinds_of("sqlite", "rabbitmq") for target in kind.targets}
    met = set()
    for seed in range(20):
        pairs = {(kind.name, target) for kind, target in schedule.pairs_of(seed, "sqlite", "rabbitmq")}
        replayed = {target for kind, target in pairs if kind in schedule.REPLAYED}
        named = {target for kind, target in pairs if kind in schedule.NAMED}
        assert len(replayed) == 1 and len(named) == 2 and not replayed & named
        assert {pair for pair in kinds - pairs} == {pair for pair in kinds if pair[1] in named and pair[0] in schedule.REPLAYED
                                                    or pair[1] in replayed and pair[0] in schedule.NAMED}
        met |= pairs
    assert met == kinds, "each pair comes by some seed"
    only = schedule.pairs_of(1, "sqlite", "rabbitmq", frozenset({"queue:loa.feed", "purge:loa.push"}))
    assert {(kind.name, target) for kind, target in only} == {("queue", "loa.feed"), ("purge", "loa.push")}, "what is asked for comes"


def test_one_target_has_one_fault_at_a_time():
    by_target = collections.defaultdict(list)
    for fault in schedule.plan(6, 600, 1, "sqlite", "rabbitmq", frozenset()):
        by_target[fault.target].append(fault)
    for faults in by_target.values():
        for before, after in zip(faults, faults[1:]):
            assert before.at + before.seconds <= after.at


def test_only_the_named_faults_come():
    faults = schedule.plan(7, 60, 1, "sqlite", "rabbitmq", frozenset({"kill:push", "portal-500"}))
    assert {(fault.kind, fault.target) for fault in faults} == {("kill", "push"), ("portal-500", "tinh")}


def test_good_events_keep_the_contract():
    steps = workload.plan(8, 120, 8)
    schema = judge()
    for step in steps:
        if step.lane == "amqp" and step.state:
            assert not list(schema.iter_errors(step.state.event())), step.state
    assert {step.what for step in steps} == {"send", "repeat", "malformed"}


def test_portals_use_each_others_ids_and_none_uses_one_twice():
    steps = workload.plan(11, 300, 8)
    firsts = [step.state for step in steps if step.what == "send" and step.state.revision == 1 and not step.state.withdrawn]
    users: dict[str, list[str]] = collections.defaultdict(list)
    for state in {state.mark: state for state in firsts}.values():
        users[state.article].append(state.portal.slug)
    assert sum(len(slugs) > 1 for slugs in users.values()) > 50 and any(len(slugs) == 3 for slugs in users.values())
    assert all(len(set(slugs)) == len(slugs) for slugs in users.values())
    events = collections.Counter(state.event_id for state in firsts if state.event_id)
    assert sum(count > 1 for count in events.values()) > 10, "event ids, too"
    assert len({(state.source, state.event_id) for state in firsts if state.event_id}) == sum(events.values())
    for lane, portals in workload.LANES.items():
        assert {step.state.portal for step in steps if step.lane == lane and step.state} == set(portals)


def test_some_events_come_in_the_wrong_order_and_some_withdrawals_first():
    seen, stale, early = {}, 0, 0
    for step in workload.plan(9, 300, 8):
        if step.what == "send" and step.lane == "amqp":
            before = seen.get(step.state.key)
            stale += before is not None and before.version > step.state.version
            early += before is None and step.state.withdrawn
            seen[step.state.key] = max(before, step.state, key=lambda s: s.version) if before else step.state
    assert stale > 10 and early > 5


def test_what_is_malformed_is_not_the_contract():
    good = next(step.state for step in workload.plan(10, 60, 8) if step.lane == "amqp" and step.state and not step.state.withdrawn)
    for name, make in workload.MALFORMED.items():
        body = make(good.event())
        try:
            wrong = list(judge().iter_errors(json.loads(body))) or name in ("too-large", "other-subject")
        except ValueError:
            wrong = True
        assert wrong, name
