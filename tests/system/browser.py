"""A headless Chromium, spoken to over its DevTools pipe: opens a page as a scanner or a person would, measures, takes a picture.

No web driver and no open port: file descriptors 3 and 4 of the browser. Each browser has an empty profile of its own.
"""

import base64
import contextlib
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import time

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--disable-extensions", "--mute-audio",
    "--no-default-browser-check", "--remote-debugging-pipe",
]
ANSWER_SECONDS_MAX = 30


class Browser:
    """One browser with one tab."""

    def __init__(self, profile: pathlib.Path):
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        assert program, "chromium is not installed: apt-get install --no-install-recommends chromium (or let ./tests/run do it)"
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()

        def hand_over() -> None:
            # both first to high numbers: 3 or 4 may be one of them
            high_in, high_out = os.dup(to_browser), os.dup(from_browser)
            os.dup2(high_in, 3)
            os.dup2(high_out, 4)

        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=hand_over, close_fds=False, start_new_session=True,
        )
        os.close(to_browser)
        os.close(from_browser)
        self.pending, self.number, self.events = b"", 0, []
        self.session = None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Runtime.enable")

    def call(self, method: str, **parameters):
        """One DevTools command and its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        while True:
            answer = self.next_message(deadline, method)
            if answer.get("id") == self.number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def next_message(self, deadline: float, what: str) -> dict:
        while b"\0" not in self.pending:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.read_end], [], [], left)[0], f"chromium did not answer: {what}"
            got = os.read(self.read_end, 1 << 20)
            assert got, f"chromium ended: {what}"
            self.pending += got
        message, self.pending = self.pending.split(b"\0", 1)
        return json.loads(message)

    def open(self, url: str, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Opens a page at a size and in a colour scheme; returns when it and its scripts have run."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.events.clear()
        result = self.call("Page.navigate", url=url)
        assert "errorText" not in result, f"{url}: {result['errorText']}"
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.next_message(deadline, f"load {url}"))

    def run(self, script: str):
        """The value of a JavaScript expression in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def too_wide(self) -> str:
        """What sticks out to the right, as a sentence; empty when nothing has to be scrolled sideways."""
        return self.run("""(() => {
            const page = document.documentElement, width = page.clientWidth;
            if (page.scrollWidth <= width) return '';
            const worst = [...document.querySelectorAll('body *')]
                .filter(e => e.getBoundingClientRect().right > width + 1).slice(0, 3)
                .map(e => e.tagName.toLowerCase() + '.' + e.className + ' ' + Math.round(e.getBoundingClientRect().right) + 'px');
            return `scrollWidth ${page.scrollWidth} > ${width}: ${worst.join(', ')}`;
        })()""")

    def picture(self, path: pathlib.Path) -> None:
        """Saves the whole page as PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def close(self) -> None:
        os.close(self.write_end)  # the browser ends when its pipe closes
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # and what it left behind
        self.process.wait()
        os.close(self.read_end)
