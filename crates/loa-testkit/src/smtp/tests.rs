//! Tests of the SMTP stand-in: what it keeps, what it refuses, and that it misbehaves as told.

use super::*;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Sends a whole dialogue at once (pipelining) and returns all that was answered until the server closed.
async fn talk(catcher: &Catcher, lines: &str) -> String {
    let mut stream = TcpStream::connect(catcher.address()).await.unwrap();
    stream.write_all(lines.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn codes(answer: &str) -> Vec<&str> {
    answer.lines().filter(|line| line.as_bytes().get(3) == Some(&b' ')).map(|line| &line[..3]).collect()
}

const MAIL: &str = "EHLO me\r\nMAIL FROM:<a@x.vn> BODY=8BITMIME\r\nRCPT TO:<b@x.vn>\r\nDATA\r\n\
    Subject: =?utf-8?B?Q2jDoG8=?=\r\n\r\nm\u{1ed9}t\r\n..hai\r\n.\r\nQUIT\r\n";

#[tokio::test]
async fn a_mail_is_kept_as_it_was_sent_with_its_dots_unstuffed() {
    let catcher = Catcher::start().await.unwrap();
    let mut listener = catcher.listen();
    assert_eq!(codes(&talk(&catcher, MAIL).await), ["220", "250", "250", "250", "354", "250", "221"]);
    let mails = catcher.wait_for(1).await;
    assert_eq!(listener.recv().await.unwrap(), mails[0]);
    assert_eq!((mails[0].from.as_str(), mails[0].to.as_slice()), ("a@x.vn", &["b@x.vn".to_owned()][..]));
    assert_eq!(mails[0].bytes, "Subject: =?utf-8?B?Q2jDoG8=?=\r\n\r\nmột\r\n.hai\r\n".as_bytes());
    assert_eq!((mails[0].subject(), mails[0].number), ("Chào".to_owned(), 1));
    assert_eq!(catcher.mails_to("B@x.vn").len(), 1);
    catcher.stop().await;
    assert!(TcpStream::connect(catcher.address()).await.is_err());
}

#[tokio::test]
async fn a_bare_line_feed_does_not_end_a_mail() {
    let catcher = Catcher::start().await.unwrap();
    let smuggled = MAIL.replace("..hai\r\n", "\n.\nMAIL FROM:<evil@x.vn>\r\n");
    talk(&catcher, &smuggled).await;
    assert_eq!(catcher.mails().len(), 1);
    assert!(String::from_utf8_lossy(&catcher.mails()[0].bytes).contains("evil"));
}

#[tokio::test]
async fn commands_out_of_order_are_refused_and_the_dialogue_goes_on() {
    let catcher = Catcher::start().await.unwrap();
    let answer = talk(
        &catcher,
        "MAIL FROM:<a@x.vn>\r\nEHLO me\r\nRCPT TO:<b@x.vn>\r\nDATA\r\nMAIL a\r\nMAIL FROM:<>\r\nRCPT TO:<>\r\n\
         STARTTLS\r\nRSET\r\nNOOP\r\nMAIL FROM:<a@x.vn> SIZE=99999999\r\nQUIT\r\n",
    )
    .await;
    let wanted = ["220", "503", "250", "503", "503", "501", "250", "501", "502", "250", "250", "552", "221"];
    assert_eq!(codes(&answer), wanted);
    assert!(answer.contains("250-PIPELINING\r\n250-SIZE 10485760\r\n250-8BITMIME\r\n"));
}

#[tokio::test]
async fn it_misbehaves_as_told_and_only_so_often() {
    let catcher = Catcher::start().await.unwrap();
    catcher.misbehave(Fault::at(Stage::RcptTo).of("b@x.vn").times(1).reply("451 4.7.1 later"));
    catcher.misbehave(Fault::at(Stage::RcptTo).of("other@x.vn").reply("550 5.1.1 never"));
    assert_eq!(codes(&talk(&catcher, MAIL).await)[3], "451");
    assert_eq!(codes(&talk(&catcher, MAIL).await)[3], "250");
    assert_eq!(catcher.mails().len(), 1);
    catcher.misbehave(Fault::at(Stage::MailFrom).reply("421 4.3.2 closing"));
    assert_eq!(codes(&talk(&catcher, MAIL).await), ["220", "250", "421"]);
    catcher.behave();
    catcher.misbehave(Fault::at(Stage::FinalDot).times(1));
    assert_eq!(codes(&talk(&catcher, MAIL).await), ["220", "250", "250", "250", "354"]);
    assert_eq!(catcher.mails().len(), 1, "dropped after the dot, not kept");
    catcher.misbehave(Fault::at(Stage::FinalDot).times(1).keep_then_drop());
    assert_eq!(codes(&talk(&catcher, MAIL).await), ["220", "250", "250", "250", "354"]);
    assert_eq!(catcher.mails().len(), 2, "kept, and the client cannot know");
    catcher.misbehave(Fault::at(Stage::Greeting).reply("554 5.3.2 go away"));
    assert_eq!(&codes(&talk(&catcher, "QUIT\r\n").await), &["554", "221"]);
}

#[tokio::test]
async fn a_mail_that_is_too_large_is_refused_and_a_broken_one_is_not_kept() {
    let catcher = Catcher::start().await.unwrap();
    let large = MAIL.replace("..hai", &"x".repeat(1000).add_crlf(11_000));
    assert_eq!(codes(&talk(&catcher, &large).await)[5], "552");
    let mut stream = TcpStream::connect(catcher.address()).await.unwrap();
    stream.write_all(MAIL.split("\r\n.\r\n").next().unwrap().as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(catcher.mails().is_empty());
}

trait Lines {
    fn add_crlf(&self, times: usize) -> String;
}

impl Lines for String {
    fn add_crlf(&self, times: usize) -> String {
        vec![self.as_str(); times].join("\r\n")
    }
}
