//! RabbitMQ for the tests: a virtual host on the run's node, or a node of a test's own.
//!
//! A node of one's own can be killed, frozen, starved and started again; several tests may share
//! it, one after the other. This file knows nothing of the bus (`traffic.rs` does).
//! `tests/system/broker.py` makes all nodes; `tests/README.md` has the agreement.

#![allow(dead_code)] // each test binary uses its part
#![allow(clippy::disallowed_methods, reason = "`tests/run` says in the environment where the servers are")]

pub mod proxy;
pub mod traffic;

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    ops::{Deref, DerefMut},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Mutex, MutexGuard},
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

/// What runs beside a node: obeys one word a line, answers each with a line, and leaves nothing behind.
const KEEPER: &str = r#"
import json, os, pathlib, shutil, signal, sys
sys.path.insert(0, sys.argv[1])
from broker import Broker
folder = pathlib.Path(sys.argv[2])
node = Broker(folder)
def answer(words): print(json.dumps(words), flush=True)
def signalled(number):
    if node.server is not None: os.killpg(node.server.pid, number)
try:
    answer(node.addresses())
    for line in sys.stdin:
        word, *rest = line.split(maxsplit=1)
        if word == "start": node.start()
        elif word == "kill": node.kill()
        elif word == "freeze": signalled(signal.SIGSTOP)
        elif word == "thaw": signalled(signal.SIGCONT)
        elif word == "ctl": node.control(*rest[0].split())
        elif word == "eval": node.control("eval", rest[0].strip())
        answer("done")
finally:
    signalled(signal.SIGCONT)
    node.stop()
    shutil.rmtree(folder, ignore_errors=True)
"#;

/// A node of one's own, not started yet. Ends with the test, however the test ends: its keeper sees its input close.
pub struct Node {
    /// The address of the virtual host `/`.
    pub url: String,
    at: Value,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _keeper: Child,
}

impl Node {
    pub async fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("loa-node").tempdir().expect("a folder").keep();
        let system = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("system");
        let mut keeper = Command::new("python3")
            .arg("-c")
            .arg(KEEPER)
            .arg(system)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is there");
        let input = keeper.stdin.take().expect("it is piped");
        let output = BufReader::new(keeper.stdout.take().expect("it is piped"));
        let mut node = Self { url: String::new(), at: Value::Null, input, output, _keeper: keeper };
        node.at = node.answer();
        node.url = format!("{}/%2f", text(&node.at, "url"));
        node
    }

    /// A node that answers.
    pub async fn started() -> Self {
        let mut node = Self::new().await;
        node.start().await;
        node
    }

    pub async fn start(&mut self) {
        self.tell("start");
    }

    /// `kill -9` to all of it; data and ports stay.
    pub async fn kill(&mut self) {
        self.tell("kill");
    }

    /// It stands still (SIGSTOP): its sockets stay open and nobody answers.
    pub async fn freeze(&mut self) {
        self.tell("freeze");
    }

    /// It goes on.
    pub async fn thaw(&mut self) {
        self.tell("thaw");
    }

    /// `rabbitmqctl`.
    pub async fn ctl(&mut self, arguments: &str) {
        self.tell(&format!("ctl {arguments}"));
    }

    /// An Erlang expression, evaluated by the node.
    pub async fn eval(&mut self, expression: &str) {
        self.tell(&format!("eval {expression}"));
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        let port = self.url.rsplit(':').next().and_then(|rest| rest.split('/').next()).expect("an address has a port");
        ([127, 0, 0, 1], port.parse().expect("a port")).into()
    }

    // The keeper has limits of its own for each word. Its pipes belong to no runtime, because a shared node outlives those
    // of the tests.
    fn tell(&mut self, words: &str) {
        tokio::task::block_in_place(|| {
            self.input.write_all(format!("{words}\n").as_bytes()).expect("the keeper listens");
            let answer = self.answer();
            assert_eq!(answer, "done", "{words}");
        });
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it can be read");
        serde_json::from_str(&line).expect("the keeper of the node has ended; its words are on standard error")
    }
}

/// A node that the tests of one file share, one after the other: a start takes ten seconds.
static SHARED: Mutex<Option<Node>> = Mutex::const_new(None);

/// The shared node, all ours until this is dropped, and an empty virtual host on it.
pub struct Shared {
    node: MutexGuard<'static, Option<Node>>,
    /// The virtual host's name.
    pub vhost: String,
    /// Its address.
    pub url: String,
}

/// Waits for its turn.
pub async fn shared() -> Shared {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let mut node = SHARED.lock().await;
    if node.is_none() {
        *node = Some(Node::started().await);
    }
    let root = node.as_ref().map(|node| node.url.clone()).expect("it was started");
    let vhost = format!("v{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let shared = Shared { node, url: root.replace("%2f", &vhost), vhost };
    manage(&shared.at, "PUT", &format!("/api/vhosts/{}", shared.vhost), "{}").await;
    shared.allow(".*", ".*", ".*").await;
    shared
}

impl Shared {
    /// Gives our user these permissions on the virtual host.
    pub async fn allow(&self, configure: &str, write: &str, read: &str) {
        let permissions = serde_json::json!({ "configure": configure, "write": write, "read": read }).to_string();
        let path = format!("/api/permissions/{}/{}", self.vhost, text(&self.at, "user"));
        manage(&self.at, "PUT", &path, &permissions).await;
    }

    /// Makes a user who may do anything on the virtual host.
    pub async fn add_user(&self, name: &str, password: &str) {
        let user = serde_json::json!({ "password": password, "tags": "" }).to_string();
        manage(&self.at, "PUT", &format!("/api/users/{name}"), &user).await;
        let everything = r#"{"configure":".*","write":".*","read":".*"}"#;
        manage(&self.at, "PUT", &format!("/api/permissions/{}/{name}", self.vhost), everything).await;
    }
}

impl Deref for Shared {
    type Target = Node;
    fn deref(&self) -> &Node {
        self.node.as_ref().expect("it was started")
    }
}

impl DerefMut for Shared {
    fn deref_mut(&mut self) -> &mut Node {
        self.node.as_mut().expect("it was started")
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // whatever was done to it, the next one gets a fresh node
            *self.node = None;
        }
    }
}

/// A clock that stands still: nothing on the bus depends on the time.
pub fn clock() -> loa_bus::Clock {
    Arc::new(|| jiff::Timestamp::from_second(1_700_000_000).expect("an instant"))
}

/// Dice that fall the same in each run, and never twice alike.
pub fn random() -> loa_bus_rabbitmq::Random {
    static THROWS: AtomicU32 = AtomicU32::new(0);
    Arc::new(|bytes| {
        let throw = THROWS.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        bytes.iter_mut().zip(throw.iter().cycle()).for_each(|(byte, thrown)| *byte = *thrown);
    })
}
