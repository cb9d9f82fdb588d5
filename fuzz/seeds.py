"""Writes inputs to start from into fuzz/corpus: the contract's examples, the corpus of bad input, the portal's seed page."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/system"))


def main() -> None:
    from hostile import corpus

    def keep(target: str, name: str, body: bytes) -> None:
        folder = ROOT / "fuzz/corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)

    for example in (ROOT / "docs/schemas/examples").glob("*.json"):
        keep("structured_event", example.stem, example.read_bytes())
    for case in corpus():
        if len(case.body) > 65_536:
            continue
        if case.headers:
            head = {"content-type": case.content_type} | case.headers
            keep("binary_event", case.name, "".join(f"{name}: {value}\n" for name, value in head.items()).encode() + b"\n" + case.body)
        else:
            keep("structured_event", case.name, case.body)
    for page in (ROOT / "crates/loa-portal/fixtures").glob("seed.*"):
        keep("portal_page", page.name, page.read_bytes())
    for case in corpus():
        if len(case.body) <= 65_536:
            keep("strict_json", case.name, case.body)
    for piece in ("<", "<!--", "<a ", "&#", "<b><p></b></p>", "<table><br>", "<svg><![CDATA[", "<img width=1>", "<p><a href=x>"):
        keep("html_body", "".join(f"{ord(sign):02x}" for sign in piece), piece.encode() * 200)
    for areas in (ROOT / "config/areas").glob("*.csv"):
        keep("areas_csv", areas.name, areas.read_bytes()[:16_384])
    for settings in (ROOT / "config").glob("*.toml"):
        keep("settings", settings.name, settings.read_bytes()[:16_384])
    for name, answer in {"ok": b"204\n", "later": b"503120\n", "date": b"429Wed, 21 Oct 2026 07:28:00 GMT\n", "yes": b"200\n0123456789abcdef"}.items():
        keep("receiver_answer", name, answer)
    for name, form in {
        "subscribe": b"hub.mode=subscribe&hub.topic=https%3A%2F%2Fa.vn%2Ffeeds%2Fall.atom&hub.callback=https%3A%2F%2Fs.example%2Fcb%3Fk%3Da&hub.secret=s",
        "ping": b"hub.mode=publish&hub.url=https%3A%2F%2Fa.vn%2Ffeeds%2Fall.atom",
    }.items():
        keep("hub_request", name, form)
    keep("feed_of_event", "every-text", "\xff".join(["Tieu de<b>", "]]>", "<p>x</p>", "Nhan", "Nguon", "tep", "a"]).encode("latin-1"))


main()
