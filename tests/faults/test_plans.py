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
    kinds = schedule.kinds_of("sqlite", "rabbitmq")
    bag = sum(len(kind.targets) * kind.weight for kind in kinds)
    faults = schedule.plan(5, bag * 10, 2, "sqlite", "rabbitmq", frozenset())
    assert {(fault.kind, fault.target) for fault in faults} == {(kind.name, target) for kind in kinds for target in kind.targets}


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


def test_some_events_come_in_the_wrong_order_and_some_withdrawals_first():
    seen, stale, early = {}, 0, 0
    for step in workload.plan(9, 300, 8):
        if step.what == "send" and step.lane == "amqp":
            before = seen.get(step.state.article)
            stale += before is not None and before.version > step.state.version
            early += before is None and step.state.withdrawn
            seen[step.state.article] = max(before, step.state, key=lambda s: s.version) if before else step.state
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
