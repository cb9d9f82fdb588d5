"""The account, written down: `account.json` for machines, `account.txt` for people. Explains each loss and each wrong.

A reader should see, without another tool: which article, which outlet, what was seen last, which faults were near in
time, and the article's journey as an operator would ask for it.
"""

import collections
import dataclasses
import json
import pathlib
import time

from account import Account, Finding
from house import House
from journal import Journal
from model import Model
from workload import journey_of

JOURNEYS_MAX = 20
NEAR_SECONDS = 15


def write(folder: pathlib.Path, command: str, journal: Journal, house: House, model: Model, account: Account, producers: list,
          settled_after: float | None, exit_code: int) -> str:
    """Writes both files; returns the last line."""
    last = f"lost {len(account.lost)}, wrong {len(account.wrong)}, duplicates {sum(account.duplicates.values())}"
    injected = collections.Counter(f"{window.kind} {window.target}" for window in journal.windows if window.number >= 0 and window.effects)
    idle = collections.Counter(f"{window.kind} {window.target}" for window in journal.windows if window.number >= 0 and not window.effects)
    journeys: dict[str, object] = {}
    for finding in account.lost + account.wrong:
        if finding.article and finding.article not in journeys and len(journeys) < JOURNEYS_MAX:
            journeys[finding.article], why = house.try_command("journey", *journey_of(finding.article))
            journeys[finding.article] = journeys[finding.article] or why
    sums = {
        "attempted": len(model.attempted_at), "acknowledged": len(model.states), "articles": len(model.articles),
        "of each portal": dict(collections.Counter(model.final(key).portal.slug for key in model.articles)),
        "under an id of several portals": sum(count > 1 for count in collections.Counter(states[0].article for states in model.articles.values()).values()),
        "watched": sum(states[0].is_watched for states in model.articles.values()),
        "malformed": sum(len(getattr(producer, "malformed", ())) for producer in producers),
    }
    (folder / "account.json").write_text(json.dumps({
        "command": command, "exit": exit_code, **sums, "lost": [dataclasses.asdict(f) for f in account.lost],
        "wrong": [dataclasses.asdict(f) for f in account.wrong], "duplicates": account.duplicates, "explained": account.explained, "uncertain": account.uncertain,
        "blind": account.blind, "injected": injected, "without effect": idle, "troubles": journal.troubles,
        "ended by themselves": house.ended_alone, "settled after seconds": settled_after, "journeys": journeys,
    }, ensure_ascii=False, indent=1))
    lines = [command, ""]
    lines += [f"{sums['attempted']} states attempted, {sums['acknowledged']} acknowledged, of {sums['articles']} articles and documents; "
              f"{sums['malformed']} malformed messages", ""]
    lines += [f"articles and documents of each portal: {sums['of each portal']}; {sums['under an id of several portals']} ids are used by several, "
              f"{sums['watched']} articles came from the portal that is watched", ""]
    lines += ["faults injected (and how often; each had an effect):"]
    lines += [f"  {count:4}  {name}" for name, count in sorted(injected.items())] or ["  none"]
    lines += ["faults that met nobody:"] + ([f"  {count:4}  {name}" for name, count in sorted(idle.items())] or ["  none"])
    lines += ["", "not settled in time" if settled_after is None else f"settled {settled_after:.0f} s after the last fault"]
    lines += [f"duplicates: {', '.join(f'{count} {outlet}' for outlet, count in account.duplicates.items())}"]
    lines += [f"  {text}" for text in account.explained]
    lines += [f"uncertain, and accounted for as such by the run itself: {len(account.uncertain)}"]
    lines += [f"  {text}" for text in account.uncertain]
    for title, findings in (("LOST", account.lost), ("WRONG", account.wrong)):
        for finding in findings:
            lines += ["", f"{title}: {finding.outlet}: {finding.what}"] + explained(journal, model, finding, journeys)
    for title, texts in (("NOT LOOKED AT", account.blind), ("TROUBLE OF THE HARNESS", journal.troubles), ("ENDED BY ITSELF", house.ended_alone)):
        lines += [f"\n{title}: {text}" for text in texts]
    lines += ["", last]
    (folder / "account.txt").write_text("\n".join(lines) + "\n")
    return last


def explained(journal: Journal, model: Model, finding: Finding, journeys: dict) -> list[str]:
    """What a reader needs beside the accusation."""
    lines = []
    after = lambda at: f"{at - journal.began:.1f} s"  # noqa: E731
    for state in sorted(model.articles.get(finding.article, ()), key=lambda state: state.version):
        verb = "withdrawal" if state.withdrawn else "publication"
        lines.append(f"  {verb}, revision {state.revision}, [e{state.mark}], event {state.event_id}, acknowledged after "
                     f"{after(model.acknowledged_at[state.mark])}")
    if finding.at:
        begin, end = finding.at - NEAR_SECONDS, max(finding.at, finding.until) + NEAR_SECONDS
        near = journal.near(begin, end)
        lines.append(f"  faults between {after(begin)} and {after(end)}:" + ("" if near else " none"))
        lines += [f"    {window.kind} {window.target}, from {after(window.begin)} to {after(window.end or time.time())} {window.note}" for window in near]
    journey = journeys.get(finding.article)
    if isinstance(journey, list):
        lines.append("  its journey:")
        lines += [f"    {step['at']}  {step['outlet']:7} {step['step']:11} rev {step['revision']}  {step['detail']}" for step in journey]
    elif journey:
        lines.append(f"  no journey: {journey}")
    return lines
