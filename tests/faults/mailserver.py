"""A mail server that misbehaves on command and keeps what it takes: a real SMTP server (aiosmtpd), read by `email`.

Must not know what a digest is but for its marks: which states of which articles a mail tells, in which section.
"""

import asyncio
import dataclasses
import email
import email.policy
import re
import time

from aiosmtpd.controller import Controller
from broker import free_port
from receivers import MailServer

from journal import Journal, Window
from workload import MARK

SECTIONS = {"Tin mới": "news", "Tin được cập nhật": "update", "Đính chính: tin đã được gỡ": "correction"}
HIDDEN = re.compile(r"^… và (\d+) tin khác", re.M)
SILENCE_SECONDS = 30  # longer than anybody listens
RUN = re.compile(r"\+(\d+)\.")  # the return path tells the run


@dataclasses.dataclass(slots=True)
class Line:
    """A line of a digest. `mark`: of the state it shows; `reason_mark`: of the withdrawal, for a correction; `portal`: the name
    that stands behind it."""

    kind: str
    mark: str
    reason_mark: str = ""
    portal: str = ""


@dataclasses.dataclass(slots=True)
class Copy:
    """One time a mail was taken. `acknowledged`: whether the sender was told so."""

    at: float
    acknowledged: bool
    mood: str
    lines: tuple[Line, ...]
    hidden: int


@dataclasses.dataclass(slots=True)
class Mail:
    """All copies under one Message-ID to one mailbox."""

    run: int
    copies: list[Copy]


def lines_of(text: str) -> tuple[Line, ...]:
    """The lines of a digest's text part."""
    found, section, block = [], "", []

    def end() -> None:
        if section and block:
            marks = MARK.findall(block[0])
            assert len(marks) == 1, f"a line without its mark: {block[0]!r}"
            reasons = MARK.findall("\n".join(block[1:])) if section == "correction" else []
            portal = block[1].rpartition(" · ")[2] if len(block) > 1 and " · " in block[1] else ""
            found.append(Line(section, marks[0], reasons[0] if reasons else "", portal))

    for line in text.splitlines():
        heading = re.match(r"== (.+) \(\d+\) ==$", line)
        if heading:
            end()
            section, block = SECTIONS[heading.group(1)], []
        elif re.match(r"\d+\. ", line):
            end()
            block = [line]
        elif line.startswith("---") or line.startswith("… và"):
            end()
            section, block = "", []
        elif block:
            block.append(line)
    return tuple(found)


class UnreliableMailServer(MailServer):
    """`mood` is the fault it has now. `refused`: mailboxes that get 550 while the mood says so."""

    def __init__(self, journal: Journal, refused: frozenset[str]):
        self.journal, self.refused = journal, refused
        self.mood: tuple[str, Window] | None = None
        self.kept: dict[str, dict[str, Mail]] = {}  # mailbox -> Message-ID -> mail
        self.refusals: dict[str, int] = {}
        self.faults: list[str] = []
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port(), data_size_limit=0)
        self.controller.start()
        self.port = self.controller.port

    def meets(self, *moods: str) -> bool:
        """Whether the mood is one of these; then it had an effect."""
        mood = self.mood
        if mood is None or mood[0] not in moods:
            return False
        mood[1].effects += 1
        return True

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802 (aiosmtpd's name)
        session.host_name = hostname
        if self.meets("smtp-away"):
            server.transport.abort()
        return responses

    async def handle_MAIL(self, server, session, envelope, address, mail_options):  # noqa: N802
        if self.meets("smtp-policy"):
            return "550 5.7.1 you are not welcome here"
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):  # noqa: N802
        if self.meets("smtp-silent"):
            await asyncio.sleep(SILENCE_SECONDS)
        if self.meets("smtp-451"):
            return "451 4.3.2 not now"
        if self.meets("smtp-421"):
            asyncio.get_running_loop().call_later(0.02, server.transport.close)
            return "421 4.3.2 closing"
        if address in self.refused and self.meets("smtp-550"):
            self.refusals[address] = self.refusals.get(address, 0) + 1
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        # in both it has the mail, and the sender will never know: lost without it, it would be by the sender's own rule
        # ("uncertain" twice is not sent a third time), and no fault of anybody's
        dropped, mute = self.meets("smtp-drop"), self.meets("smtp-mute")
        self.keep(envelope, acknowledged=not (dropped or mute), mood=self.mood[0] if self.mood else "")
        if dropped:
            server.transport.abort()
        if mute:
            await asyncio.sleep(SILENCE_SECONDS)
        return "250 OK, kept"

    def keep(self, envelope, acknowledged: bool, mood: str) -> None:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        try:
            text = message.get_body(("plain",)).get_content()
            hidden = HIDDEN.search(text)
            copy = Copy(time.time(), acknowledged, mood, lines_of(text), int(hidden.group(1)) if hidden else 0)
            run = RUN.search(envelope.mail_from)
            number = str(message["message-id"])
            for address in envelope.rcpt_tos:
                mail = self.kept.setdefault(address, {}).setdefault(number, Mail(int(run.group(1)) if run else 0, []))
                mail.copies.append(copy)
                self.journal.write(
                    "mail", to=address, id=number, run=mail.run, acknowledged=acknowledged, mood=mood, hidden=copy.hidden,
                    lines=[[line.kind, line.mark, line.reason_mark] for line in copy.lines])
        except Exception as error:  # noqa: BLE001 (a mail nobody can read is a finding, not the end of the server)
            self.faults.append(f"a mail that cannot be read: {error!r}")
            self.journal.write("unreadable mail", error=repr(error), content=envelope.content.decode(errors="replace")[:4000])
