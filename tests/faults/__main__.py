"""The crash harness: publishes a known set of events to a running system while a seeded schedule breaks it, then accounts.

`./tests/run faults --seed N --seconds S [--shape sqlite|postgres] [--bus rabbitmq|embedded] [--out FOLDER] [--only KIND,...]`

The last line reads `lost 0, wrong 0, duplicates N`. Exit code: 0; 1 when something is lost or wrong, or the run proves
nothing; 2 for usage. What is found where: README.md beside this file.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import random
import signal
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

import schedule  # noqa: E402 (after the path)
from run import Run  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/run faults", description="Breaks a running Loa by a seeded schedule, and accounts.",
                                     allow_abbrev=False)
    parser.add_argument("--seed", type=int, help="of schedule and events; made up when not given")
    parser.add_argument("--seconds", type=float, default=60, help="of faults; the system settles afterwards (default: 60)")
    parser.add_argument("--shape", choices=["sqlite", "postgres"], default="sqlite", help="where the ledgers are (default: sqlite)")
    parser.add_argument("--bus", choices=["rabbitmq", "embedded"], default="rabbitmq", help="default: rabbitmq")
    parser.add_argument("--out", type=pathlib.Path, help="the folder of the run; made, and must be empty (default: one in TMPDIR)")
    parser.add_argument("--only", default="", help="only these faults: kill,portal-500,kill:broker,…")
    parser.add_argument("--pace", type=float, default=2.0, help="steps of producers a second (default: 2)")
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two faults, on average (default: 3)")
    parser.add_argument("--settle", type=float, default=240, help="longest time for settling without getting any better, in seconds (default: 240)")
    given = parser.parse_args()
    if given.seed is None:
        given.seed = random.SystemRandom().randrange(1_000_000)
    known = schedule.names_of(given.shape, given.bus)
    unknown = [name for name in filter(None, given.only.split(",")) if name not in known]
    if unknown:
        parser.error(f"there is no fault {unknown[0]!r} in this shape; there are: {', '.join(known)}")
    if given.seconds < 10:
        parser.error("--seconds: at least 10, for a fault needs somebody to meet")
    if given.pace <= 0 or given.every <= 0 or given.settle <= 0:
        parser.error("--pace, --every and --settle must be more than 0")
    return given


def main() -> int:
    given = arguments()
    # tests/run has changed the folder; an absolute path stays as it is
    folder = pathlib.Path(os.environ.get("LOA_CALLED_FROM", "."), given.out or tempfile.mkdtemp(prefix="loa-faults-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        print(f"tests/run faults: {folder} is not empty: name another folder with --out", file=sys.stderr)
        return 2
    command = (f"tests/run faults --seed {given.seed} --seconds {given.seconds:g} --shape {given.shape} --bus {given.bus} "
               f"--pace {given.pace:g} --every {given.every:g}" + (f" --only {given.only}" if given.only else ""))
    print(command, flush=True)
    print(f"everything goes to {folder}", flush=True)
    only = frozenset(filter(None, given.only.split(",")))
    faults = schedule.plan(given.seed, given.seconds, given.every, given.shape, given.bus, only)
    (folder / "schedule.json").write_text(json.dumps({"command": command, "faults": [dataclasses.asdict(f) for f in faults]}, indent=1))

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        return Run(folder.resolve(), command, given, faults).carry_out()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # threads of servers and producers need not be waited for
