"""The corpus of bad input (crates/loa-event/fixtures/hostile), as a foreign producer sends it: bytes, made by hand.

The language of its cases is told in crates/loa-event/tests/it/hostile.rs, which reads the same files.
"""

import copy
import dataclasses
import json
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "crates/loa-event/fixtures/hostile"
STRUCTURED = "application/cloudevents+json"
KINDS = {"text": "x", "a number": 7, "true or false": True, "a list": [], "an object": {}}


@dataclasses.dataclass
class Case:
    """One message, and what must come of it: `refused`, or `becomes` (members of the data), or `keeps` (text)."""

    name: str
    body: bytes
    content_type: str
    headers: dict[str, str]
    article: bytes | None  # what an editor's CMS would post, where the fault is in the data
    refused: dict | None
    becomes: dict
    keeps: str

    @property
    def routing_key(self) -> str:
        return "article.published.tin-tuc"


def good(name: str) -> dict:
    """The event that a case starts from."""
    return {
        "specversion": "1.0", "type": "vn.loa.article.published.v1", "source": "https://dienbiendong.gov.vn/",
        "subject": name, "id": name, "time": "2023-11-16T08:02:22+07:00", "datacontenttype": "application/json",
        "data": {
            "id": name, "revision": 1, "url": "https://dienbiendong.gov.vn/tin/1", "title": f"Tin {name}",
            "category": {"slug": "tin-tuc", "label": "Tin tức"}, "published_at": "2023-11-16T08:02:22+07:00",
        },
    }


def parent_of(event: dict, pointer: str):
    *steps, last = pointer.removeprefix("/").split("/")
    for step in steps:
        event = event[int(step)] if isinstance(event, list) else event[step]
    return event, int(last) if isinstance(event, list) else last


def put(event: dict, pointer: str, value) -> None:
    parent, member = parent_of(event, pointer)
    parent[member] = value


def pieces(parts: list) -> bytes:
    made = b""
    for part in parts:
        if isinstance(part, str):
            made += part.encode()
        elif isinstance(part, list):
            made += part[0].encode() * part[1]
        else:
            made += bytes.fromhex(part["hex"])
    return made


def written(value, raw: dict) -> bytes:
    """JSON as compact as Rust writes it, with the raw pieces in their places."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    for place, parts in enumerate(raw.values()):
        text = text.replace(f'"@{place}@"'.encode(), pieces(parts))
    return text


def case(given: dict) -> Case:
    event, raw, binary = good(given["name"]), given.get("raw", {}), given.get("binary")
    for pointer, value in given.get("set", {}).items():
        put(event, pointer, copy.deepcopy(value))
    for pointer in given.get("without", []):
        parent, member = parent_of(event, pointer)
        del parent[member]
    for place, pointer in enumerate(raw):
        put(event, pointer, f"@{place}@")
    body = written(event["data"] if binary is not None else event, raw)
    if "body" in given:
        body = pieces(given["body"])
    if "cut" in given:
        body = body[:-given["cut"]]
    if "pad_to" in given:
        body = body.ljust(given["pad_to"])
    touched = {*given.get("set", {}), *given.get("without", []), *raw}
    in_data = given.get("refused", {}).get("at") != "/subject" and touched - {"/subject"} and all(pointer.startswith("/data/") for pointer in touched - {"/subject"})
    return Case(
        given["name"], body, given.get("content_type", STRUCTURED if binary is None else "application/json"), binary or {},
        written(event["data"], raw) if in_data else None, given.get("refused"), given.get("becomes", {}), given.get("keeps", ""),
    )


def wrong_types() -> list[dict]:
    """Every member of the contract with every type that it must not have."""
    given = []
    for expected, pointers in json.loads((FOLDER / "types.json").read_text()).items():
        for pointer in pointers:
            for found, value in KINDS.items():
                if expected.endswith(found) or (found == "a number" and expected == "a whole number"):
                    continue
                changes = {"/data/images": [{"url": "https://a.vn/1"}], "/data/attachments": [{"url": "https://a.vn/1"}]}
                if pointer.startswith("/data/areas/0"):
                    changes["/data/areas"] = [{"code": "03205"}]
                given.append({
                    "name": f"{pointer[1:].replace('/', '-')}-is-{found.replace(' ', '-')}", "set": changes | {pointer: value},
                    "refused": {"kind": "wrong-shape", "at": pointer, "says": f"is {found}, where {expected} was expected"}})
    return given


def corpus() -> list[Case]:
    """All of it, in a fixed order."""
    files = ("bytes.json", "envelope.json", "members.json", "cleaned.json")
    given = [entry for name in files for entry in json.loads((FOLDER / name).read_text())]
    return [case(entry) for entry in given + wrong_types()]


def at_place(position: str, at: str) -> bool:
    """Whether a position is the expected place, or inside it; the whole, when none is expected."""
    if not at:
        return not position or position.startswith("line ")
    return position == at or position.startswith((f"{at},", f"{at}/"))
