"""Strangers at the door of a process without a proxy: health answers whatever they hold, and who did what can be read afterwards."""

import collections
import contextlib
import json
import pathlib
import re
import socket

import pytest
import shapes
from broker import free_port
from contract import article
from crowd import crowd
from installation import http, until
from load import Cms, standing

SHAPES = [shapes.KNOWN["sqlite-embedded"]]
CONNECTIONS = 64  # of the main listener


@pytest.fixture(scope="module")
def loa(install):
    loa = install(http__connections_max=CONNECTIONS, http__connections_per_address_max=16)
    main, health = sorted((free_port(), free_port()))
    (name,) = loa.processes(("up",))
    loa.ports[name], loa.health = main, f"http://127.0.0.1:{health}"
    loa.environment["LOA__HEALTH__PORT_OFFSET"] = str(health - main)
    loa.start("intake", "feed", "digest", "push", "console")
    return loa


def refusals(loa, **labels: str) -> float:
    text = http("GET", f"{loa.health}/metrics").text
    lines = re.findall(r"^loa_http_refusals_total\{(.*)\} (\S+)$", text, re.M)
    return sum(float(value) for said, value in lines if all(f'{key}="{wanted}"' in said for key, wanted in labels.items()))


def test_health_and_metrics_answer_at_both_listeners(loa):
    for url in (loa.url("feed"), loa.health):
        for path in ("/healthz", "/readyz", "/metrics"):
            assert http("GET", url + path).status == 200, url + path
    assert http("GET", f"{loa.health}/feeds").status == 404, "nothing else is there"


def test_health_answers_while_every_connection_is_held(loa):
    port = int(loa.url("feed").rpartition(":")[2])
    with contextlib.ExitStack() as held:
        # one address never gets all places, not even a proxy's
        for number in range(CONNECTIONS):
            line = held.enter_context(socket.socket())
            line.bind((f"127.0.0.{1 + number % 4}", 0))
            line.connect(("127.0.0.1", port))
            line.sendall(b"GET /feeds HTTP/1.1\r\nHost: x\r\n")
        assert http("GET", f"{loa.health}/healthz").status == 200
        assert http("GET", f"{loa.health}/readyz").status == 200
        # whoever sends half a request is not waited for, so the others come in
        assert until(60, "readers are served again", lambda: http("GET", f"{loa.url('feed')}/feeds", timeout=60).status == 200)


def test_who_did_what_stands_in_the_log_and_refusals_are_counted(loa):
    (name,) = loa.processes(("up",))
    editor = loa.command("token", "create", "--scope", "publish", "--name", "toa-soan").stdout.split()[0]
    data = article("strangers-1", title="Tin strangers-1")
    del data["revision"]
    send = lambda token: http("POST", f"{loa.url('intake')}/v1/articles", json.dumps(data).encode(),
                              Authorization=f"Bearer {token}", Content_Type="application/json").status
    assert (send(editor), send("loa_wrong"), send("")) == (202, 401, 401)
    assert http("GET", f"{loa.url('digest')}/v1/subscribers", Authorization=f"Bearer {editor}").status == 403
    said = loa.running[name].said()
    assert re.search(r"let in.*toa-soan.*/v1/articles|toa-soan.*/v1/articles.*let in", said), said[-3000:]
    assert re.search(r"not let in.*wrong_token|wrong_token.*not let in", said), said[-3000:]
    assert re.search(r"not let in.*toa-soan.*/v1/subscribers|toa-soan.*/v1/subscribers.*not let in", said), said[-3000:]
    assert editor not in said and "loa_wrong" not in said, "no secret is written down"
    assert refusals(loa, service="intake", reason="wrong_token") == 1
    assert refusals(loa, service="intake", reason="no_token") == 1
    assert refusals(loa, service="digest", reason="scope") == 1


def test_a_thousand_connections_of_which_nine_hundred_misbehave_leave_the_others_what_they_came_for(install):
    loa = install()
    loa.start("intake", "feed", "digest", "push", "console")
    (name,) = loa.processes(("up",))
    token = loa.json("token", "create", "--scope", "publish", "--name", "cms")["secret"]
    first, cms = Cms(loa, token, range(25)), Cms(loa, token, range(25, 50))
    first.start()
    first.join()
    until(30, "there is something to read", lambda: standing(loa).total() == 25)
    port = int(loa.url("feed").rpartition(":")[2])
    alone = crowd(port, "/feeds/all.atom", bad=0, good=100, times=5)
    cms.start()
    among = crowd(port, "/feeds/all.atom", bad=900, good=100, times=5)
    resident = int(re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{loa.running[name].process.pid}/status").read_text()).group(1))
    cms.join()
    # figures for people; what is asked is whether they were served
    print(f"p99 alone {alone.percentile(0.99):.3f} s, among strangers {among.percentile(0.99):.3f} s; resident {resident // 1024} MiB")
    assert collections.Counter(among.statuses) == {200: 500}
    assert resident < 256 * 1024, f"{resident} kB"
    assert first.fault is None and cms.fault is None, (first.fault, cms.fault)
    until(30, "nothing is lost", lambda: standing(loa).total() == 50)
