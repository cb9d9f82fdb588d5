//! RabbitMQ as the tests see it: the node that `tests/run` started, where each test gets a virtual host of its own, or a
//! node all of a test's own, to be killed, starved and started again.
//!
//! Knows nothing of the bus. Both kinds come from `tests/system/broker.py`; see `tests/README.md` for the agreement.

#![allow(dead_code)] // each test binary uses its part

use serde_json::Value;
use std::{
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// An empty virtual host on the run's node; returns its AMQP address.
pub async fn fresh_vhost() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let at = run_broker();
    let vhost = format!("rust-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let user = text(&at, "user");
    manage(&at, "PUT", &format!("/api/vhosts/{vhost}"), "{}").await;
    let permissions = r#"{"configure":".*","write":".*","read":".*"}"#;
    manage(&at, "PUT", &format!("/api/permissions/{vhost}/{user}"), permissions).await;
    format!("{}/{vhost}", text(&at, "url"))
}

/// The addresses of the run's node.
fn run_broker() -> Value {
    static AT: OnceLock<Value> = OnceLock::new();
    AT.get_or_init(|| {
        let json = std::env::var("LOA_TEST_BROKER").expect(
            "LOA_TEST_BROKER holds the addresses of a private RabbitMQ: start these tests with ./tests/run conformance",
        );
        serde_json::from_str(&json).expect("LOA_TEST_BROKER is what tests/system/broker.py prints")
    })
    .clone()
}

/// One request to the management API; must succeed.
async fn manage(at: &Value, method: &str, path: &str, body: &str) {
    let port = u16::try_from(at["http_port"].as_u64().expect("a port")).expect("a port");
    let login = base64(format!("{}:{}", text(at, "user"), text(at, "password")).as_bytes());
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {login}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the management API listens");
    stream.write_all(request.as_bytes()).await.expect("it takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    let status = answer.split(' ').nth(1).unwrap_or_default();
    assert!(status.starts_with('2'), "{method} {path}: {answer}");
}

fn text(at: &Value, key: &str) -> String {
    at[key].as_str().unwrap_or_else(|| panic!("{key} is a text")).to_owned()
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = (bits >> (18 - 6 * place)) & 63;
            text.push(if place <= chunk.len() { ALPHABET[index as usize] as char } else { '=' });
        }
    }
    text
}

/// What runs beside a node of one's own: obeys one word a line, answers each with a line.
const KEEPER: &str = r#"
import json, pathlib, subprocess, sys
sys.path.insert(0, sys.argv[1])
from broker import Broker, script
node = Broker(pathlib.Path(sys.argv[2]))
def answer(words): print(json.dumps(words), flush=True)
try:
    answer(node.addresses())
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "start": node.start()
        elif word == "kill": node.kill()
        elif word == "stop": node.stop()
        elif word == "ctl":
            subprocess.run([script("rabbitmqctl"), "-q", *rest], env=node.environment(), check=True, stdout=subprocess.DEVNULL)
        answer("done")
finally:
    node.stop()
"#;

/// A node of one's own, not started yet. Ends with the test, however the test ends: its keeper sees its input close.
pub struct Node {
    pub url: String,
    // in this order: the keeper's input closes first
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _keeper: Child,
    _folder: tempfile::TempDir,
}

impl Node {
    pub async fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("loa-node").tempdir().expect("a folder");
        let system = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("system");
        let mut keeper = Command::new("python3")
            .arg("-c")
            .arg(KEEPER)
            .arg(system)
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is there");
        let input = keeper.stdin.take().expect("it is piped");
        let output = BufReader::new(keeper.stdout.take().expect("it is piped"));
        let mut node = Self { url: String::new(), input, output, _keeper: keeper, _folder: folder };
        let at = node.answer().await;
        node.url = format!("{}/%2f", text(&at, "url"));
        node
    }

    /// A node that answers.
    pub async fn started() -> Self {
        let mut node = Self::new().await;
        node.start().await;
        node
    }

    pub async fn start(&mut self) {
        self.tell("start").await;
    }

    /// `kill -9` to all of it; data and ports stay.
    pub async fn kill(&mut self) {
        self.tell("kill").await;
    }

    /// `rabbitmqctl`.
    pub async fn ctl(&mut self, arguments: &str) {
        self.tell(&format!("ctl {arguments}")).await;
    }

    async fn tell(&mut self, words: &str) {
        self.input.write_all(format!("{words}\n").as_bytes()).await.expect("the keeper listens");
        let answer = self.answer().await;
        assert_eq!(answer, "done", "{words}");
    }

    async fn answer(&mut self) -> Value {
        let mut line = String::new();
        let read = tokio::time::timeout(Duration::from_secs(120), self.output.read_line(&mut line));
        read.await.expect("the keeper answers within two minutes").expect("it can be read");
        serde_json::from_str(&line).expect("the keeper of the node has ended; its words are on standard error")
    }
}

/// A clock that stands still: nothing on the bus depends on the time.
pub fn clock() -> loa_bus::Clock {
    Arc::new(|| jiff::Timestamp::from_second(1_700_000_000).expect("an instant"))
}

/// Dice that always fall the same.
pub fn random() -> loa_bus_rabbitmq::Random {
    Arc::new(|bytes| bytes.fill(128))
}
