//! Several processes on one file, and what one of them leaves behind when it is killed: this test program starts itself
//! again as that other process.

#![allow(clippy::unwrap_used)] // a panic is the failure's message
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "how the two processes speak with each other")]

use loa_bus::{Administer, Connect, Consume, Consumer, Measure, Message, Outgoing, Publish, Queue, Route, Settlement};
use loa_bus_sqlite::SqliteBus;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

/// Names the file to the other process.
const FILE: &str = "LOA_TEST_BUS_FILE";
const PATIENCE: Duration = Duration::from_secs(30);

async fn open(path: &Path) -> SqliteBus {
    SqliteBus::open(path, Arc::new(|| jiff::Timestamp::UNIX_EPOCH)).await.unwrap()
}

fn to_feed(n: usize) -> Outgoing {
    let message =
        Message { id: format!("{n:03}"), content_type: String::new(), headers: BTreeMap::new(), body: "x".into() };
    Outgoing { route: Route::Queue(Queue::Feed), message }
}

async fn publish(bus: &SqliteBus, range: std::ops::Range<usize>) {
    for outcome in bus.publish(range.map(to_feed).collect()).await {
        outcome.unwrap();
    }
}

async fn receive(consumer: &mut Box<dyn Consumer>, count: usize) -> Vec<String> {
    let (mut ids, begun) = (Vec::new(), Instant::now());
    while ids.len() < count {
        assert!(begun.elapsed() < PATIENCE, "{ids:?} came");
        let batch = consumer.receive(count - ids.len(), Duration::from_millis(500)).await.unwrap();
        ids.extend(batch.into_iter().map(|r| r.message.id));
    }
    ids
}

/// Starts this program again to run one of the parts below on a file, and waits until it says that it is ready.
fn other_process(part: &str, path: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", part, "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let ready = lines.any(|line| line.contains("ready"));
    // or its test harness could not write its last words
    std::thread::spawn(move || lines.for_each(drop));
    assert!(ready, "the other process got ready");
    child
}

/// The part of a process that receives ten messages, acks four, and is killed.
#[tokio::test]
async fn part_hold_messages_until_killed() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let bus = open(Path::new(&path)).await;
    let mut consumer = bus.consume(Queue::Feed, 100).await.unwrap();
    let received = consumer.receive(10, PATIENCE).await.unwrap();
    let acks = received[..4].iter().map(|r| (r.tag, Settlement::Ack)).collect();
    consumer.settle(acks).await.unwrap();
    println!("ready");
    std::future::pending::<()>().await;
}

/// The part of a process that publishes a hundred messages, one by one, while others work on the file.
#[tokio::test]
async fn part_publish_a_hundred() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let bus = open(Path::new(&path)).await;
    println!("ready");
    for n in 100..200 {
        publish(&bus, n..n + 1).await;
    }
    bus.close().await;
}

#[tokio::test]
async fn messages_of_a_killed_process_come_back_to_those_who_live_and_to_those_who_come() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bus.db");
    let living = open(&path).await;
    living.declare().await.unwrap();
    publish(&living, 0..10).await;
    let mut child = other_process("part_hold_messages_until_killed", &path);

    // while it lives, what it holds is nobody else's
    let mut consumer = living.consume(Queue::Feed, 100).await.unwrap();
    assert!(consumer.receive(10, Duration::from_millis(1_500)).await.unwrap().is_empty());
    child.kill().unwrap();
    child.wait().unwrap();
    let expected: Vec<String> = (4..10).map(|n| format!("{n:03}")).collect();
    assert_eq!(receive(&mut consumer, 6).await, expected);
    drop(consumer);

    // and again, with nobody alive to notice
    living.close().await;
    let mut child = other_process("part_hold_messages_until_killed", &path);
    child.kill().unwrap();
    child.wait().unwrap();
    let late = open(&path).await;
    assert_eq!(late.depth(Queue::Feed).await.unwrap(), (2, 0), "four were acked, two are ready at once");
    late.close().await;
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("holder")), "no lock is left: {left:?}");
}

#[tokio::test]
async fn one_process_publishes_while_another_consumes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bus.db");
    let ours = open(&path).await;
    ours.declare().await.unwrap();
    let mut child = other_process("part_publish_a_hundred", &path);
    publish(&ours, 0..100).await;
    let mut consumer = ours.consume(Queue::Feed, 50).await.unwrap();
    let mut seen = Vec::new();
    let begun = Instant::now();
    while seen.len() < 200 {
        assert!(begun.elapsed() < PATIENCE, "{} of 200 came", seen.len());
        let batch = consumer.receive(50, Duration::from_millis(500)).await.unwrap();
        consumer.settle(batch.iter().map(|r| (r.tag, Settlement::Ack)).collect()).await.unwrap();
        seen.extend(batch.into_iter().map(|r| r.message.id));
    }
    seen.sort();
    assert_eq!(seen, (0..200).map(|n| format!("{n:03}")).collect::<Vec<_>>());
    assert!(child.wait().unwrap().success(), "the other process was never turned away");
}

#[tokio::test]
async fn a_file_may_be_opened_by_many_at_its_very_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bus.db");
    let openings = (0..6).map(|_| {
        let path = path.clone();
        tokio::spawn(async move {
            let bus = open(&path).await;
            bus.declare().await.unwrap();
            bus
        })
    });
    let mut buses = Vec::new();
    for opening in openings.collect::<Vec<_>>() {
        buses.push(opening.await.unwrap());
    }
    for (n, bus) in buses.iter().enumerate() {
        publish(bus, n..n + 1).await;
    }
    assert_eq!(buses[0].depth(Queue::Feed).await.unwrap(), (6, 0));
}

#[tokio::test]
async fn a_finished_message_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bus.db");
    let bus = open(&path).await;
    bus.declare().await.unwrap();
    let everywhere = Outgoing { route: Route::Topic("article.published.x".to_owned()), ..to_feed(0) };
    assert!(bus.publish(vec![everywhere]).await.remove(0).is_ok());
    for (n, queue) in Queue::ALL.into_iter().enumerate() {
        assert_eq!(bodies(&path).await, 1, "kept once, as long as one queue has it ({n} have finished)");
        let mut consumer = bus.consume(queue, 10).await.unwrap();
        let tag = consumer.receive(10, PATIENCE).await.unwrap()[0].tag;
        consumer.settle(vec![(tag, Settlement::Ack)]).await.unwrap();
    }
    assert_eq!(bodies(&path).await, 0);
}

/// Bodies in the file, by a connection of its own.
async fn bodies(path: &Path) -> i64 {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).read_only(true);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM body").fetch_one(&pool).await.unwrap()
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_can_read_the_queues() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let bus = open(&folder.path().join("bus.db")).await;
    bus.declare().await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.path());
    }
}
