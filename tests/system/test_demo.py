"""`loa demo`: what a person does first. It starts without anything, tells where to look, and ends cleanly."""

import os
import re
import signal
import time

import pytest
from broker import free_port
from installation import Process, http, until, without_colour

END_SECONDS_MAX = 10
ADDRESS = re.compile(r"https?://127\.0\.0\.1:\d+[^\s\"'<>)\]]*")


class Demo:
    """A running demo."""

    def __init__(self, folder, *arguments: str):
        folder.mkdir(parents=True, exist_ok=True)
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(folder), "LANG": "C.UTF-8", "TMPDIR": str(folder)}
        self.folder = folder
        self.process = Process("demo", ["demo", *arguments], folder, environment)

    def said(self) -> str:
        return without_colour(self.process.said())

    def look_here(self) -> str:
        """Everything it printed, once it has said where to look and shown all three steps."""
        def told() -> str | None:
            assert self.process.alive(), self.said()
            return self.said() if re.search(r"look here|where to look", self.said(), re.I) else None

        return until(60, "it says where to look", told)

    def end(self) -> int:
        return self.process.stop(signal.SIGINT, END_SECONDS_MAX)


@pytest.fixture
def demos(tmp_path):
    """Starts demos; none survives the test."""
    made: list[Demo] = []

    def start(*arguments: str) -> Demo:
        made.append(Demo(tmp_path / f"demo-{len(made)}", *arguments))
        return made[-1]

    yield start
    for demo in made:
        demo.process.kill()


def test_it_shows_the_whole_pipeline_and_ends_cleanly(demos, pictures, browser):
    address = f"127.0.0.1:{free_port()}"
    demo = demos("--listen", address)
    said = demo.look_here()
    addresses = sorted(set(found.rstrip(".,;:") for found in ADDRESS.findall(said)))
    assert any("/feeds" in found for found in addresses), said
    assert any("/subscribe" in found for found in addresses), said
    for found in addresses:
        if found.endswith(("/", address)) or "/v1/" not in found:
            answer = http("GET", found)
            assert answer.status in (200, 302, 303, 401, 410), f"{found}: {answer.status}"
    titles = until(30, "the seed article was corrected and something withdrawn", lambda: http(
        "GET", f"http://{address}/feeds/all.json").json()["items"])
    assert any("OCOP" in item["title"] for item in titles)
    browser.open(f"http://{address}/")
    browser.picture(pictures / "demo.png")
    assert demo.end() == 0, demo.said()
    assert "panicked" not in demo.said()
    assert [path for path in demo.folder.iterdir() if path.name != "demo.log"] == [], "the throw-away folder is gone"


def test_a_second_start_works(demos):
    address = f"127.0.0.1:{free_port()}"
    for _ in range(2):
        demo = demos("--listen", address)
        demo.look_here()
        assert demo.end() == 0, demo.said()


def test_two_at_once_do_not_collide(demos):
    first, second = demos("--listen", f"127.0.0.1:{free_port()}"), demos("--listen", f"127.0.0.1:{free_port()}")
    first.look_here()
    second.look_here()
    assert first.end() == 0 and second.end() == 0


def test_a_taken_address_is_said_in_a_sentence(demos):
    address = f"127.0.0.1:{free_port()}"
    demos("--listen", address).look_here()
    second = demos("--listen", address)
    until(20, "the second one gives up", lambda: not second.process.alive())
    assert second.process.process.returncode == 1
    assert address in second.said() and "panicked" not in second.said()


def test_without_arguments_a_second_demo_finds_a_place_of_its_own_or_says_why_not(demos):
    """The default port may be taken by the first, by another test run, or by anything else on the machine."""
    first = demos()
    time.sleep(0.2)
    second = demos()
    for demo in (first, second):
        until(60, "it looks or says why not", lambda demo=demo: not demo.process.alive() or re.search(
            r"look here|where to look", demo.said(), re.I))
        if demo.process.alive():
            assert demo.end() == 0, demo.said()
        else:
            assert demo.process.process.returncode == 1 and "--listen" in demo.said(), demo.said()
