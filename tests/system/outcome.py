"""What a run of pytest came to, from its JUnit report: the sums, the names of what failed, and the groups to run again.

    python outcome.py sums REPORT       passed and failed, with a space between
    python outcome.py failed REPORT     a line for each test that did not pass
    python outcome.py groups REPORT     a line for each file and shape with such a test: FILE SHAPE
"""

import sys
import xml.etree.ElementTree as tree
from collections.abc import Iterator

import shapes


def cases(report: str) -> Iterator[tuple[str, str, bool]]:
    """File, name and whether it passed, of each test; a skip proves nothing."""
    try:
        root = tree.parse(report).getroot()
    except (OSError, tree.ParseError):
        return
    for case in root.iter("testcase"):
        name = case.get("name", "").partition("@")[0]  # behind it xdist's group
        file = case.get("classname", "").split(".")[-1] + ".py"
        yield file, name, all(case.find(kind) is None for kind in ("failure", "error", "skipped"))


def group(file: str, name: str) -> str:
    """The file, and the shape on which its test ran, if it runs on shapes."""
    parameters = name.partition("[")[2]
    shape = next((known for known in shapes.KNOWN if known in parameters), "")
    return f"{file} {shape}".strip()


def main(what: str, report: str) -> None:
    """Prints what was asked for."""
    told = list(cases(report))
    failed = [(file, name) for file, name, passed in told if not passed]
    if what == "sums":
        print(len(told) - len(failed), len(failed))
        return
    say = (lambda file, name: f"{file}::{name}") if what == "failed" else group
    for line in dict.fromkeys(say(file, name) for file, name in failed):
        print(line)


main(*sys.argv[1:])
