"""Digests received by real mail servers, read by Python's `email`; links that work, and looking that changes nothing."""

import os
import re
import shutil
import subprocess
import time

import pytest
import shapes
from broker import free_port
from contract import published
from installation import PUBLIC, SEED, http, until
from receivers import Mail

SHAPES = shapes.EVERY
pytestmark = pytest.mark.long
READER = "can-bo@nason.example"
TITLE = "Điện Biên Đông: 4 sản phẩm được chứng nhận OCOP"


@pytest.fixture(scope="module")
def loa(install):
    loa = install()
    loa.start("intake", "feed", "digest")
    loa.command("subscribers", "add", READER, "--area", "Na Son", "--frequency", "daily")
    loa.command("import", str(SEED))
    until(15, "the digest service has the article", lambda: outlets(loa, TITLE))
    return loa


def outlets(loa, title: str) -> bool:
    """Whether a digest for everyone would have the title now."""
    return title in loa.command("digest", "preview").stdout


@pytest.fixture(scope="module")
def mail(loa, mail_server) -> Mail:
    """The reader's first digest."""
    loa.command("digest", "run")
    return until(20, "the digest arrives", lambda: mail_server.to(READER))[0]


def unsubscribe_link(mail: Mail) -> str:
    return re.search(r"<(https://[^>]+)>", mail.message["list-unsubscribe"]).group(1)


def state(loa, address: str) -> str:
    """Where a mailbox's subscription stands, as an operator sees it."""
    for row in loa.json("subscribers", "list"):
        if row["email"] == address:
            return row["subscriptions"][0]["state"] if "subscriptions" in row else row["state"]
    return "unknown"


def test_the_parser_finds_no_defect(mail):
    assert mail.defects() == []
    assert max(len(line) for line in mail.content.split(b"\r\n")) <= 998
    assert b"\n" not in mail.content.replace(b"\r\n", b""), "only CRLF line ends"


def test_it_is_text_first_then_html_both_vietnamese(mail):
    assert mail.message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.message.iter_parts()] == ["text/plain", "text/html"]
    for kind in ("plain", "html"):
        body = mail.part(kind)
        assert TITLE in body.replace("&#x27;", "'"), kind
        assert unsubscribe_link(mail) in body.replace("&#x2f;", "/"), f"a person can end it from the {kind} part"
    assert '<html lang="vi"' in mail.part("html")
    assert len(mail.part("html").encode()) < 102 * 1024


def test_it_has_the_four_headers_and_their_friends(mail):
    message = mail.message
    assert message["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"  # RFC 8058
    assert unsubscribe_link(mail).startswith(f"{PUBLIC}/u/")  # RFC 2369
    assert len(unsubscribe_link(mail)) <= 70 + len(PUBLIC) - len("https://loa.example.gov.vn")
    assert "<mailto:" in message["list-unsubscribe"]
    assert re.search(r"<[^<>@ ]+\.[^<>@ ]+>", message["list-id"])  # RFC 2919
    assert message["auto-submitted"] == "auto-generated"  # RFC 3834
    assert message["precedence"] == "bulk"
    assert message["to"].addresses[0].addr_spec == READER
    assert message["date"].datetime is not None
    assert message["message-id"].count("@") == 1
    assert mail.rcpt_tos == [READER], "one mail for each mailbox"
    assert mail.mail_from not in ("", READER)
    assert message["bcc"] is None and message["cc"] is None


def test_the_subject_is_vietnamese_and_one_line(mail):
    assert "\n" not in mail.message["subject"]
    assert re.search(r"[àáạảãâăđêôơư]", str(mail.message["subject"]), re.I)


def test_looking_changes_nothing_not_even_with_scripts(loa, mail, browser):
    link = loa.local(unsubscribe_link(mail))
    for method in ("GET", "HEAD", "OPTIONS", "GET"):
        assert http(method, link).status < 500
    browser.open(link)  # a scanner that runs scripts
    assert browser.run("document.readyState") == "complete"
    time.sleep(0.5)  # for a script that would wait a little
    assert state(loa, READER) == "active"
    assert browser.run("document.querySelectorAll('form[method=post]').length") >= 1, "a button does it, not the visit"


def test_the_one_click_post_ends_the_subscription_and_is_safe_to_repeat(loa, mail, mail_server):
    link = loa.local(unsubscribe_link(mail))
    for _ in range(2):
        answer = http("POST", link, b"List-Unsubscribe=One-Click", Content_Type="application/x-www-form-urlencoded")
        assert answer.status in (200, 202, 204), answer.text
    assert state(loa, READER) == "unsubscribed"
    loa.command("import", str(SEED))
    loa.command("digest", "run")
    assert len(mail_server.to(READER)) == 1


def test_a_foreign_token_opens_nothing_and_a_machines_click_on_it_is_answered(loa):
    link = f"{loa.url('digest')}/u/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    assert http("GET", link).status == 404
    # RFC 8058: a mail provider that clicks twice, or late, must not take us for broken
    answer = http("POST", link, b"List-Unsubscribe=One-Click", Content_Type="application/x-www-form-urlencoded")
    assert answer.status == 200 and "@" not in answer.text


def test_a_refused_mailbox_delays_nobody_else(loa, mail_server, bus):
    refused, good = "khong-con@nason.example", "van-con@nason.example"
    for address in (refused, good):
        loa.command("subscribers", "add", address)
    mail_server.answer = lambda address: "550 5.1.1 no such user" if address == refused else None
    try:
        bus(loa).structured(published("mail-refused"))
        until(15, "the digest service has it", lambda: outlets(loa, "Tin mail-refused"))
        loa.command("digest", "run")
        until(20, "the good one has it", lambda: mail_server.to(good))
    finally:
        mail_server.answer = lambda address: None
    assert mail_server.to(refused) == []


@pytest.mark.on(*shapes.ON_BROKER)  # a minute of waiting, which the bus does not change
def test_a_server_that_says_later_gets_it_later_under_the_same_message_id(loa, mail_server, bus):
    address, said = "ban-viec@nason.example", []
    loa.command("subscribers", "add", address)

    def later(rcpt: str) -> str | None:
        if rcpt == address and not said:
            said.append(rcpt)
            return "451 4.3.2 not now"
        return None

    mail_server.answer = later
    try:
        bus(loa).structured(published("mail-later"))
        until(15, "the digest service has it", lambda: outlets(loa, "Tin mail-later"))
        loa.command("digest", "run")
        until(20, "it was told to come later", lambda: said)
    finally:
        mail_server.answer = lambda rcpt: None
    runs = loa.command("digest", "run", expect=None)  # what is due is sent again by the service, or by hand
    until(120, f"it comes again by itself\n{runs.stdout}", lambda: mail_server.to(address))
    assert len(mail_server.to(address)) == 1


def test_one_person_with_a_subscription_form_and_a_confirmation(loa, mail_server, browser):
    """The page as a person uses it: form, mail, link, button."""
    address = "nguoi-dan@nason.example"
    browser.open(f"{loa.url('digest')}/subscribe")
    assert browser.run("document.documentElement.lang") == "vi"
    browser.run(f"document.querySelector('input[type=email]').value = {address!r}")
    browser.run("document.querySelector('form').submit()")
    mail = until(20, "the confirmation mail", lambda: mail_server.to(address))[0]
    assert mail.defects() == []
    assert state(loa, address) == "pending"
    link = re.search(rf"{re.escape(PUBLIC)}/confirm/\S+", mail.part("plain")).group(0).rstrip(".)>")
    assert http("GET", loa.local(link)).status == 200
    assert state(loa, address) == "pending", "looking confirms nobody"
    browser.open(loa.local(link))
    assert state(loa, address) == "pending", "nor do scripts"
    browser.run("document.querySelector('form[method=post]').submit()")
    until(10, "confirmed by the button", lambda: state(loa, address) == "active")


def test_postfixs_smtp_sink_takes_the_mail_too(install, bus, tmp_path):
    program = os.environ.get("LOA_SMTP_SINK") or shutil.which("smtp-sink") or "/usr/sbin/smtp-sink"
    assert os.access(program, os.X_OK), "smtp-sink is not here: it is part of the package postfix (./tests/run unpacks it)"
    port = free_port()
    sink = subprocess.Popen(
        [program, "-u", "nobody", "-d", "mail.", f"127.0.0.1:{port}", "10"] if os.geteuid() == 0
        else [program, "-d", "mail.", f"127.0.0.1:{port}", "10"],
        cwd=writable(tmp_path), env={"LD_LIBRARY_PATH": os.environ.get("LOA_SMTP_SINK_LIBRARIES", "")},
    )
    try:
        loa = install(digest__smtp__port=port)
        loa.start("digest")
        loa.command("subscribers", "add", READER)
        bus(loa).structured(published("mail-sink"))
        until(15, "the digest service has it", lambda: outlets(loa, "Tin mail-sink"))
        loa.command("digest", "run")
        dumped = until(20, "the sink has it", lambda: [path.read_bytes() for path in tmp_path.glob("mail.*") if path.stat().st_size])
    finally:
        sink.terminate()
        sink.wait()
    mail = Mail("", [READER], dumped[0])  # with the sink's own X- headers before ours
    assert "Tin mail-sink" in mail.part("plain")
    assert mail.message["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"


def writable(folder):
    """A folder in which smtp-sink, that gives up being root, may write."""
    folder.chmod(0o777)
    for parent in list(folder.parents)[:3]:
        if str(parent).startswith(("/tmp/loa", "/tmp/pytest")):
            parent.chmod(0o711)
    return folder
