"""How the broker is reached: lists of hosts, IPv6, logins that are rotated, TLS; and what is said when not."""

import itertools
import json
import socket

import hosts
import pytest
import shapes
from broker import Broker, call, free_port, make_vhost
from certificates import Authority
from installation import Installation, http, until

SHAPES = [shapes.KNOWN["sqlite-rabbitmq"]]
pytestmark = pytest.mark.long
NUMBERS = itertools.count(1)
ODD = "p%40 s@/?#:ß"  # what means something in an address, and is taken as it is from a file


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("node") / "ca")  # in the node's folder: a later RabbitMQ sees no other


@pytest.fixture(scope="module")
def node(authority, shape):
    """A broker of this file's own: on IPv4 and IPv6, with TLS, with logins by certificate."""
    certificate, key = authority.sign("broker", "IP:127.0.0.1")
    ipv6_port, tls_port = free_port(), free_port()
    node = Broker(
        authority.folder.parent,
        f"listeners.tcp.2 = ::1:{ipv6_port}\nlisteners.ssl.1 = 127.0.0.1:{tls_port}\n"
        f"ssl_options.cacertfile = {authority.certificate}\nssl_options.certfile = {certificate}\nssl_options.keyfile = {key}\n"
        "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = false\n"
        "auth_mechanisms.1 = PLAIN\nauth_mechanisms.2 = EXTERNAL\nssl_cert_login_from = common_name\n",
        ("rabbitmq_auth_mechanism_ssl",),
    )
    node.ipv6_port, node.tls_port = ipv6_port, tls_port
    node.start()
    yield node
    node.stop()


@pytest.fixture
def loa(node, tmp_path):
    """An installation on a vhost of that broker, with its topology."""
    at = node.addresses()
    loa = Installation(tmp_path / "loa", make_vhost(at, f"addresses-{next(NUMBERS)}"), {"bus.rabbitmq.connect_timeout_seconds": 2})
    loa.command("migrate")
    yield loa
    loa.end()


def with_settings(loa, **settings):
    """Changes settings of the broker."""
    loa.settings |= {f"bus.rabbitmq.{name}": value for name, value in settings.items()}
    loa.write_config()


def checked(loa, what: str = "bus") -> tuple[bool, str]:
    """What `loa check` says about one thing."""
    line = next(line for line in loa.json("check", expect=None) if line["what"] == what)
    return line["ok"], line["detail"]


def refused(loa, command: str = "check") -> str:
    """Why a command does not even begin."""
    return loa.command(command, expect=1).stderr


def connections(node, vhost: str) -> list[dict]:
    """The connections on a vhost; `name` is what the broker's pages call them."""
    found = json.loads(node.control("list_connections", "user", "vhost", "client_properties", "--formatter", "json"))
    said = lambda it: {key: value for key, _, value in it["client_properties"]}  # noqa: E731
    return [{"user": it["user"], "name": said(it).get("connection_name")} for it in found if it["vhost"] == vhost]


def vhost_of(loa) -> str:
    return loa.amqp_url.rsplit("/", 1)[1]


def test_check_says_which_address_answered_how_and_as_whom(loa, node):
    assert checked(loa) == (True, f"reached at 127.0.0.1:{node.amqp_port}, not encrypted, as loa; the topology is there")


def test_an_ipv6_address_is_dialled_and_not_localhost(loa, node):
    with_settings(loa, url=f"amqp://loa@[::1]:{node.ipv6_port}/{vhost_of(loa)}")
    ok, said = checked(loa)
    assert ok and f"reached at [::1]:{node.ipv6_port}" in said
    # nobody listens there; the reader of the AMQP library would have dialled this machine instead
    nobody = free_port()
    with_settings(loa, url=f"amqp://loa@[::1]:{nobody}/{vhost_of(loa)}")
    ok, said = checked(loa)
    assert not ok and f"[::1]:{nobody}: no connection (“Connection refused" in said


def test_a_list_is_tried_until_one_answers_and_each_failure_is_told(loa, node):
    hosts.each_is_tried_until_one_answers(
        lambda listed: with_settings(loa, hosts=listed), lambda: checked(loa), node.ipv6_port, 5672,
        refused="no connection (“Connection refused", silent="it did not answer within 2 s")


def test_a_list_may_stand_in_the_address(loa, node):
    with_settings(loa, url=f"amqp://loa@127.0.0.1:{free_port()},[::1]:{node.ipv6_port}/{vhost_of(loa)}")
    ok, said = checked(loa)
    assert ok and f"reached at [::1]:{node.ipv6_port}" in said


def test_a_service_goes_on_with_another_host_when_its_own_is_gone(loa, node):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with_settings(loa, hosts=[f"127.0.0.1:{port}", f"127.0.0.1:{node.amqp_port}"])
    loa.start("feed")
    until(20, "ready", lambda: http("GET", f"{loa.url('feed')}/readyz").status == 200)


def test_connections_are_named_by_program_machine_and_role(loa, node):
    loa.start("intake", "feed")
    machine = socket.gethostname()
    wanted = {f"loa {service}@{machine} {role}" for service in ("intake", "feed") for role in ("publishing", "consuming")}
    until(20, "named connections", lambda: wanted <= {it["name"] for it in connections(node, vhost_of(loa))})


def test_a_password_is_taken_from_its_file_to_the_letter(loa, node):
    user = f"odd-{next(NUMBERS)}"
    make_user(node, user, ODD, vhost_of(loa))
    secret = loa.folder / "odd.password"
    secret.write_text(ODD + "\n")
    with_settings(loa, user=user, password_file=str(secret))
    ok, said = checked(loa)
    assert ok and f"as {user}" in said


def test_a_password_rotated_on_both_sides_heals_without_a_restart(loa, node):
    user = f"rotated-{next(NUMBERS)}"
    make_user(node, user, "before", vhost_of(loa))
    secret = loa.folder / "rotated.password"
    secret.write_text("before")
    with_settings(loa, user=user, password_file=str(secret))
    loa.start("feed")
    said = lambda: {name: "up" if it["up"] else it["sentence"]  # noqa: E731
                    for name, it in http("GET", f"{loa.url('feed')}/readyz").json()["dependencies"].items()}
    until(20, "up", lambda: said().get("bus consuming") == "up")
    make_user(node, user, "behind", vhost_of(loa))
    node.control("close_all_user_connections", user, "rotated")
    until(20, "the refusal is told", lambda: "ACCESS_REFUSED" in said()["bus consuming"])
    secret.write_text("behind")
    until(20, "up again", lambda: said()["bus consuming"] == "up" and said()["bus publishing"] == "up")


def make_user(node, user: str, password: str, vhost: str) -> None:
    at = node.addresses()
    call(at, "PUT", f"/api/users/{user}", {"password": password, "tags": ""})
    call(at, "PUT", f"/api/permissions/{vhost}/{user}", {"configure": ".*", "write": ".*", "read": ".*"})


def test_tls_with_a_ca_of_ones_own(loa, node, authority, tmp_path):
    encrypted = {"tls": True, "hosts": [f"127.0.0.1:{node.tls_port}"]}
    with_settings(loa, **encrypted, ca_file=str(authority.certificate))
    assert checked(loa) == (True, f"reached at 127.0.0.1:{node.tls_port}, encrypted by TLS, as loa; the topology is there")
    with_settings(loa, **encrypted, ca_file=str(Authority(tmp_path / "other").certificate))
    ok, said = checked(loa)
    assert not ok and "its certificate is signed by nobody we trust; `bus.rabbitmq.ca_file` names its CA" in said
    with_settings(loa, hosts=[f"localhost:{node.tls_port}"], ca_file=str(authority.certificate))
    ok, said = checked(loa)
    assert not ok and "its certificate is for other names" in said and "127.0.0.1" in said
    with_settings(loa, **encrypted, ca_file=str(tmp_path / "nowhere.pem"))
    ok, said = checked(loa)
    assert not ok and f"cannot read certificates from {tmp_path}/nowhere.pem" in said
    # at a port without TLS
    with_settings(loa, hosts=[f"127.0.0.1:{node.amqp_port}"], ca_file=str(authority.certificate))
    ok, said = checked(loa)
    assert not ok and "TLS" in said


def test_a_client_certificate_logs_in_by_its_name(loa, node, authority):
    user = f"certified-{next(NUMBERS)}"
    make_user(node, user, "never used", vhost_of(loa))
    certificate, key = authority.sign(user)
    with_settings(loa, url=f"amqps://127.0.0.1:{node.tls_port}/{vhost_of(loa)}", ca_file=str(authority.certificate),
                  password_file="", mechanism="external")
    assert "wants a `client_certificate_file`" in refused(loa)
    with_settings(loa, client_certificate_file=str(certificate), client_key_file=str(key), mechanism="plain",
                  user="somebody")
    assert "logs in by the certificate" in refused(loa)
    with_settings(loa, mechanism="external")
    ok, said = checked(loa)
    assert ok and "encrypted by TLS, by the client certificate" in said
    loa.start("feed")
    until(20, "the broker knows us", lambda: user in {it["user"] for it in connections(node, vhost_of(loa))})


@pytest.mark.parametrize(("query", "instead"), [
    ("cacertfile=/etc/ca.pem", "`bus.rabbitmq.ca_file`"),
    ("verify=verify_none", "always verified"),
    ("hartbeat=5", "known are heartbeat"),
])
def test_a_parameter_that_nobody_reads_is_refused(loa, node, query, instead):
    with_settings(loa, url=f"amqp://loa@127.0.0.1:{node.amqp_port}/{vhost_of(loa)}?{query}")
    said = refused(loa)
    assert query.split("=")[0] in said and instead in said
