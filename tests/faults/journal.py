"""What happened in a run, in order, as lines of JSON in its folder; and the windows of time in which faults were there.

Everything is written at once and only little is kept in memory, so that a run of hours stays small.
"""

import dataclasses
import json
import pathlib
import threading
import time


@dataclasses.dataclass
class Window:
    """A fault as it really was. `effects`: what it is known to have done; none means that it did nothing."""

    number: int
    kind: str
    target: str
    begin: float
    end: float | None = None
    effects: int = 0
    note: str = ""

    def overlaps(self, begin: float, end: float) -> bool:
        return self.begin <= end and (self.end is None or self.end >= begin)


class Journal:
    """Thread-safe. Times are the real ones, in seconds since the epoch: no fault steps the harness's own clock."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.lock = threading.Lock()
        self.file = (folder / "journal.jsonl").open("a", encoding="utf-8")
        self.windows: list[Window] = []
        self.began = time.time()
        self.troubles: list[str] = []  # of the harness itself: such a run proves nothing

    def write(self, what: str, **fields) -> None:
        line = json.dumps({"t": round(time.time() - self.began, 3), "what": what} | fields, ensure_ascii=False)
        with self.lock:
            self.file.write(line + "\n")
            self.file.flush()

    def say(self, text: str) -> None:
        print(f"{time.time() - self.began:7.1f}  {text}", flush=True)
        self.write("said", text=text)

    def trouble(self, text: str) -> None:
        """The harness could not do what it should: the run fails, whatever the account says."""
        self.troubles.append(text)
        self.say(f"TROUBLE: {text}")

    def open_window(self, number: int, kind: str, target: str) -> Window:
        window = Window(number, kind, target, time.time())
        with self.lock:
            self.windows.append(window)
        self.write("fault begins", number=number, kind=kind, target=target)
        return window

    def close_window(self, window: Window) -> None:
        window.end = time.time()
        self.write("fault ends", number=window.number, kind=window.kind, target=window.target,
                   seconds=round(window.end - window.begin, 3), effects=window.effects, note=window.note)

    def near(self, begin: float, end: float, *wanted: str) -> list[Window]:
        """Windows that overlap a time; `wanted`: `kind`, `kind:target`, `:target` or prefixes of kinds with `*`."""
        def fits(window: Window) -> bool:
            for pattern in wanted:
                kind, _, target = pattern.partition(":")
                kind_fits = not kind or window.kind == kind or (kind.endswith("*") and window.kind.startswith(kind[:-1]))
                if kind_fits and (not target or window.target == target or window.target.rpartition("-")[0] == target):
                    return True
            return not wanted

        with self.lock:
            windows = list(self.windows)
        return [window for window in windows if window.overlaps(begin, end) and fits(window)]
