"""The command line: sentences instead of stack traces, exit codes, completions, configuration."""

import json
import re
import subprocess

import pytest
from broker import free_port
from contract import article
from installation import SEED, binary, http, until


@pytest.fixture(scope="module")
def loa(install):
    return install(migrate=False)


def run(*arguments: str, **environment: str):
    return subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=30,
                          env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **environment})


def test_usage_errors_are_2_failures_1_success_0(loa):
    assert run("--version").returncode == 0
    assert run("--help").returncode == 0
    assert run("no-such-command").returncode == 2
    assert run("withdraw", "x").returncode == 2, "--reason is missing"
    assert run("--config", "/nonexistent/loa.toml", "check").returncode == 1


@pytest.mark.parametrize(("section", "wrong", "meant"), [
    ("bus", "kinds", "bus.kind"), ("feed", "entry_max", "feed.entries_max"), ("push", "total_timeout", "push.total_timeout_ms")])
def test_a_wrong_key_names_the_nearest_known_one(tmp_path, section, wrong, meant):
    config = tmp_path / "loa.toml"
    config.write_text(f'[{section}]\n{wrong} = "x"\n')
    done = run("--config", str(config), "check")
    assert done.returncode == 1
    assert f"{section}.{wrong}" in done.stderr and meant in done.stderr and str(config) in done.stderr
    assert "Stack backtrace" not in done.stderr and "panicked" not in done.stderr


def test_a_wrong_key_in_the_environment_does_too():
    done = run("check", LOA__BUS__KINDD="sqlite")
    assert done.returncode == 1 and "LOA__BUS__KINDD" in done.stderr and "bus.kind" in done.stderr


def test_a_wrong_value_says_which(tmp_path):
    config = tmp_path / "loa.toml"
    config.write_text('[bus]\nkind = "kafka"\n')
    done = run("--config", str(config), "check")
    assert done.returncode == 1 and "kafka" in done.stderr and "rabbitmq" in done.stderr


def test_a_secret_in_the_file_is_refused_and_never_printed(tmp_path):
    config = tmp_path / "loa.toml"
    config.write_text('[bus.rabbitmq]\npassword = "hunter2-secret"\n')
    done = run("--config", str(config), "check")
    assert done.returncode == 1 and "password_file" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


def test_a_password_in_the_brokers_address_is_refused_in_a_file(tmp_path):
    config = tmp_path / "loa.toml"
    config.write_text('[bus.rabbitmq]\nurl = "amqp://loa:hunter2-secret@127.0.0.1:5672/%2f"\n')
    done = run("--config", str(config), "check")
    assert done.returncode == 1 and "password_file" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


def test_check_says_one_line_each_and_0_when_all_is_well(loa):
    loa.command("migrate")
    done = loa.command("check")
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    assert len(lines) >= 4, done.stdout


def test_check_says_what_is_out_of_reach(install):
    loa = install(digest__smtp__port=free_port())
    done = loa.command("check", expect=1)
    assert str(loa.settings["digest.smtp.port"]) in done.stdout + done.stderr


def test_check_against_a_broker_that_is_not_there(install):
    port = free_port()
    loa = install(migrate=False, bus__kind="rabbitmq", bus__rabbitmq__url=f"amqp://loa:wrong@127.0.0.1:{port}/%2f",
                  bus__rabbitmq__connect_timeout_seconds=1)
    done = loa.command("check", expect=1)
    assert str(port) in done.stdout + done.stderr and "wrong" not in done.stdout + done.stderr, "where, and no password"
    lines = {line["what"]: line for line in json.loads(loa.command("check", "--json", expect=1).stdout)}
    for what in ("topology", "unrouted"):
        assert lines[what] == {"what": what, "ok": False, "detail": "not looked at: the bus is not reached"}


def test_check_knows_a_broker_without_topology(install, vhost):
    loa = install(migrate=False, bus__kind="rabbitmq", bus__rabbitmq__url=vhost())
    done = loa.command("check", expect=1)
    assert "loa migrate" in done.stdout + done.stderr


def test_migrate_is_safe_to_repeat(loa):
    first, second = loa.command("migrate"), loa.command("migrate")
    assert first.returncode == second.returncode == 0


def test_completions_for_bash_are_valid_bash(tmp_path):
    done = run("completions", "bash")
    assert done.returncode == 0
    script = tmp_path / "loa.bash"
    script.write_text(done.stdout)
    subprocess.run(["bash", "-n", str(script)], check=True)
    told = subprocess.run(
        ["bash", "-c", f"source {script}; COMP_WORDS=(loa subs); COMP_CWORD=1; $(complete -p loa | sed 's/.*-F \\([^ ]*\\).*/\\1/') loa subs loa; "
         "echo ${COMPREPLY[@]}"], capture_output=True, text=True)
    assert "subscribers" in told.stdout, told
    for shell in ("zsh", "fish"):
        assert run("completions", shell).returncode == 0


def test_import_reports_what_it_could_not_read_and_publishes_the_rest(loa, tmp_path):
    good = SEED.read_text()
    (tmp_path / "good.txt").write_text(good)
    (tmp_path / "no-date.txt").write_text(re.sub(r"Thời gian đăng:.*\n", "", good))
    (tmp_path / "impossible-date.txt").write_text(good.replace("16/11/2023 08:02:22", "31/02/2023 08:02:22"))
    (tmp_path / "not-text.txt").write_bytes(b"\xff\xfe\x00\x01\x80\x81")
    done = loa.command("import", "--dry-run", str(tmp_path), expect=None)
    said = done.stdout + done.stderr
    for name in ("no-date.txt", "impossible-date.txt", "not-text.txt"):
        assert name in said, said
    assert done.returncode == 1, "something was not read"
    assert "panicked" not in said


def test_a_dry_run_shows_the_whole_article_with_its_evidence_and_writes_no_file(tmp_path):
    data = tmp_path / "data"
    done = run("--json", "import", "--dry-run", "--address", "https://xa.example/tin/1", str(SEED), LOA__DATA_DIR=str(data))
    assert done.returncode == 0, done
    page = json.loads(done.stdout)[0]["page"]
    assert page["article"]["url"] == "https://xa.example/tin/1"
    assert page["article"]["content_html"].startswith("<p>4 sản phẩm đạt chuẩn OCOP")
    assert {"title", "published_at", "summary", "body", "source"} <= {value["field"] for value in page["evidence"]}
    assert all(value["why"] and value["clues"] for value in page["evidence"])
    assert [(left["kind"], left["line"]) for left in page["left_out"]] == [("visits_without_number", 34)]
    assert page["left_out"][0]["why"] == "a visit counter without a number"
    assert not data.exists()


def test_an_address_is_that_of_one_page(loa, tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(SEED.read_text())
    done = loa.command("import", "--dry-run", "--address", "https://xa.example/tin/1", str(tmp_path), expect=1)
    assert "2 pages" in done.stderr


def test_import_of_a_file_that_is_not_there_is_a_sentence(loa):
    done = loa.command("import", "/nonexistent/page.txt", expect=1)
    assert "/nonexistent/page.txt" in done.stderr


def test_publish_refuses_what_the_contract_refuses_and_says_where(loa, tmp_path):
    path = tmp_path / "article.json"
    path.write_text(json.dumps(article("cli-1") | {"published_at": "yesterday"}))
    done = loa.command("publish", str(path), expect=1)
    assert "published_at" in done.stderr


def test_what_the_command_line_publishes_arrives(install):
    loa = install(migrate=False)
    loa.start("up")
    data = article("cli-2", title="Đăng bằng dòng lệnh")
    del data["revision"]
    loa.command("publish", "-", stdin=json.dumps(data))
    until(15, "it stands", lambda: "Đăng bằng dòng lệnh" in loa.titles())
    loa.command("withdraw", "cli-2", "--reason", "nhầm")
    until(15, "it is gone", lambda: "Đăng bằng dòng lệnh" not in loa.titles())
    done = loa.command("withdraw", "never-heard-of", "--reason", "x", expect=1)
    assert "never-heard-of" in done.stderr
    loa.stop()


def test_a_producer_whose_number_slipped_counts_from_1_again(install, tmp_path):
    loa = install(migrate=False)
    loa.start("up")

    def publish(revision, title, expect=0):
        data = article("cli-3", title=title) | {"revision": revision}
        return loa.command("publish", "-", stdin=json.dumps(data), expect=expect)

    publish(20_261_129_081_500, "Trượt tay")
    until(15, "it stands", lambda: "Trượt tay" in loa.titles())
    assert "20261129081500" in publish(2, "Bản hai", expect=1).stderr
    assert loa.json("renumber", "cli-3") == {"id": "cli-3", "counted_from": 20_261_129_081_500}
    publish(2, "Bản hai")
    until(15, "the edit stands", lambda: "Bản hai" in loa.titles() and "Trượt tay" not in loa.titles())
    assert "never-heard-of" in loa.command("renumber", "never-heard-of", expect=1).stderr
    loa.stop()


def test_an_unknown_area_names_what_is_near(loa):
    done = loa.command("subscribers", "add", "a@b.example", "--area", "Na Sonn", expect=1)
    assert "Na Son" in done.stderr


def test_a_revoked_token_is_useless_at_once(install):
    loa = install(migrate=False)
    loa.start("up")
    made = loa.json("token", "create", "--scope", "publish", "--name", "cms")
    data = article("token-1")
    del data["revision"]
    post = lambda: http("POST", f"{loa.url('up')}/v1/articles", json.dumps(data).encode(),  # noqa: E731
                        Authorization=f"Bearer {made['secret']}", Content_Type="application/json").status
    assert post() == 202
    assert [row["name"] for row in loa.json("token", "list")] == ["cms"]
    assert made["secret"] not in loa.command("token", "list").stdout
    loa.command("token", "revoke", "cms")
    assert post() == 401
    wrong = loa.json("token", "create", "--scope", "read", "--name", "viewer")
    answer = http("POST", f"{loa.url('up')}/v1/articles", json.dumps(data).encode(),
                  Authorization=f"Bearer {wrong['secret']}", Content_Type="application/json")
    assert answer.status in (401, 403)
    assert answer.headers["content-type"].startswith("application/problem+json")
    loa.stop()


def test_health_readiness_and_metrics_are_there_for_machines(install):
    loa = install(migrate=False)
    loa.start("up")
    assert http("GET", f"{loa.url('up')}/healthz").status == 200
    assert http("GET", f"{loa.url('up')}/readyz").status == 200
    metrics = http("GET", f"{loa.url('up')}/metrics")
    assert metrics.status == 200 and re.search(r"^loa_\w+", metrics.text, re.M)
    loa.stop()


def test_logs_are_json_on_request(install):
    loa = install(migrate=False, log__format="json")
    loa.start("up")
    loa.stop()
    lines = [line for line in (loa.folder / "up.log").read_text().splitlines() if line.strip()]
    assert lines and all(isinstance(json.loads(line), dict) for line in lines)
