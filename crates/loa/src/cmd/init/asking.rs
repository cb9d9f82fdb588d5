//! Asks for one answer: takes it from the command line, or asks a terminal until the answer is one, or says that it is missing.
//!
//! What an answer may be is not known here, nor where a terminal comes from.

use super::answers::Refusal;
use anyhow::{Context, bail};
use std::io;

/// Somebody who can be asked.
pub trait Terminal {
    /// Shows a line.
    fn tell(&mut self, line: &str);
    /// Shows a prompt and reads one line; `None`: it has ended.
    ///
    /// # Errors
    /// The terminal cannot be read.
    fn line(&mut self, prompt: &str) -> io::Result<Option<String>>;
}

/// One question.
pub struct Question {
    /// In one word or two.
    pub what: &'static str,
    /// What it is for.
    pub why: &'static str,
    /// An answer that could be given.
    pub example: &'static str,
    /// The option that answers it.
    pub flag: &'static str,
}

/// Whoever asks.
pub struct Asking<'a> {
    terminal: Option<&'a mut dyn Terminal>,
    missing: Vec<&'static str>,
}

impl<'a> Asking<'a> {
    /// Without a terminal, what has no answer and no default is missing.
    pub fn of(terminal: Option<&'a mut dyn Terminal>) -> Self {
        Self { terminal, missing: Vec::new() }
    }

    /// The answer. `offered` is what an empty line means on a terminal, `assumed` what counts where nobody is asked; without it
    /// the option is missing, and `None` is returned so that all that is missing is named at once.
    ///
    /// # Errors
    /// What is wrong with the option's text; the terminal has ended or cannot be read.
    pub fn answer<T>(
        &mut self,
        question: &Question,
        given: Option<&str>,
        (offered, assumed): (Option<&str>, Option<&str>),
        read: impl Fn(&str) -> Result<T, Refusal>,
    ) -> anyhow::Result<Option<T>> {
        let in_words = |refusal| anyhow::anyhow!("{}: {refusal}", question.flag);
        if let Some(text) = given {
            return read(text).map(Some).map_err(in_words);
        }
        if let Some(terminal) = &mut self.terminal {
            return ask(*terminal, question, offered, read).map(Some);
        }
        match assumed {
            Some(text) => read(text).map(Some).map_err(in_words),
            None => {
                self.missing.push(question.flag);
                Ok(None)
            }
        }
    }

    /// Ends with all that is missing.
    ///
    /// # Errors
    /// Something is.
    pub fn all_is_there(&self) -> anyhow::Result<()> {
        if self.missing.is_empty() {
            return Ok(());
        }
        bail!(
            "there is no terminal to ask, and these options are missing: {}; `loa init --help` says what each is",
            self.missing.join(", ")
        )
    }
}

fn ask<T>(
    terminal: &mut dyn Terminal,
    question: &Question,
    offered: Option<&str>,
    read: impl Fn(&str) -> Result<T, Refusal>,
) -> anyhow::Result<T> {
    terminal.tell(&format!("\n{}. {}", question.what, question.why));
    if !question.example.is_empty() {
        terminal.tell(&format!("  For instance: {}", question.example));
    }
    let prompt = offered.map_or_else(
        || "> ".to_owned(),
        |offered| match offered {
            "" => "[none] > ".to_owned(),
            offered => format!("[{offered}] > "),
        },
    );
    loop {
        let typed = match terminal.line(&prompt) {
            // a line of another encoding is read to its end, and the next one may be better
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                terminal.tell("  That is not UTF-8. Once more, please.");
                continue;
            }
            typed => typed.context("the terminal cannot be read; nothing was written")?,
        };
        let typed = typed.context("the answers ended; nothing was written")?;
        let text = match (typed.trim(), offered) {
            ("", Some(offered)) => offered,
            ("", None) => {
                terminal.tell("  An answer is needed here.");
                continue;
            }
            (text, _) => text,
        };
        match read(text) {
            Ok(answer) => return Ok(answer),
            Err(refusal) => terminal.tell(&format!("  Not taken: {refusal}.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::init::answers::port;

    const PORT: Question = Question { what: "Port", why: "Where it listens.", example: "25", flag: "--port" };

    /// Types what was written down.
    struct Script(Vec<io::Result<&'static str>>, String);

    impl Terminal for Script {
        fn tell(&mut self, line: &str) {
            self.1 += line;
        }

        fn line(&mut self, prompt: &str) -> io::Result<Option<String>> {
            self.1 += prompt;
            if self.0.is_empty() { Ok(None) } else { self.0.remove(0).map(|line| Some(line.to_owned())) }
        }
    }

    fn asked(lines: Vec<io::Result<&'static str>>, offered: Option<&str>) -> (anyhow::Result<Option<u16>>, String) {
        let mut script = Script(lines, String::new());
        let answer = Asking::of(Some(&mut script)).answer(&PORT, None, (offered, None), port);
        (answer, script.1)
    }

    #[test]
    fn a_question_is_asked_until_the_answer_is_one() {
        let wrong = Err(io::Error::from(io::ErrorKind::InvalidData));
        let (answer, told) = asked(vec![Ok("x"), wrong, Ok(""), Ok("587")], None);
        assert_eq!(answer.unwrap(), Some(587));
        for part in ["Where it listens.", "For instance: 25", "\"x\" is no port", "not UTF-8", "An answer is needed"] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }

    #[test]
    fn an_empty_line_takes_what_is_offered() {
        let (answer, told) = asked(vec![Ok("")], Some("25"));
        assert_eq!(answer.unwrap(), Some(25));
        assert!(told.contains("[25] > "), "{told}");
    }

    #[test]
    fn answers_that_end_write_nothing() {
        assert!(asked(Vec::new(), Some("25")).0.unwrap_err().to_string().contains("nothing was written"));
    }

    #[test]
    fn without_a_terminal_an_option_is_read_assumed_or_missing() {
        let mut asking = Asking::of(None);
        assert_eq!(asking.answer(&PORT, Some("25"), (None, None), port).unwrap(), Some(25));
        assert_eq!(asking.answer(&PORT, None, (None, Some("587")), port).unwrap(), Some(587));
        asking.all_is_there().unwrap();
        assert_eq!(
            asking.answer(&PORT, None, (Some("25"), None), port).unwrap(),
            None,
            "what is only offered is not taken"
        );
        assert!(asking.all_is_there().unwrap_err().to_string().contains("--port"));
        let error = asking.answer(&PORT, Some("x"), (None, None), port).unwrap_err();
        assert_eq!(error.to_string(), "--port: \"x\" is no port from 1 to 65535");
    }
}
