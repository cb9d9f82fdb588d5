//! Prints results, for people or as JSON for machines, and says errors in one line.
//!
//! It is the only file that prints. A reader that went away (`loa … | head`) is no error.
#![allow(clippy::disallowed_methods, reason = "the one place that prints")]

use anyhow::Context;
use loa_domain::{plain, with_causes};
use loa_words::Language;
use serde::Serialize;
use std::io::{IsTerminal, Write};

/// Where a command's results go.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// Whether machines read it.
    pub json: bool,
    /// What facts are said in.
    pub language: Language,
}

impl Output {
    /// Prints a result: its JSON form on one line, or the lines for people.
    pub fn result<T: Serialize>(&self, value: &T, people: impl FnOnce(&T) -> String) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string(value)? } else { people(value) };
        line(&text)
    }

    /// Prints a line for people only.
    pub fn say(&self, text: impl AsRef<str>) -> anyhow::Result<()> {
        if self.json { Ok(()) } else { line(text.as_ref()) }
    }

    /// Prints a script: itself, or for machines as `{"script": …}`.
    pub fn script(&self, write: impl FnOnce(&mut Vec<u8>)) -> anyhow::Result<()> {
        let mut buffer = Vec::new();
        write(&mut buffer);
        let script = String::from_utf8(buffer).context("the script is not UTF-8")?;
        self.result(&serde_json::json!({ "script": script }), |_| script.clone())
    }

    /// Whether somebody sits at a terminal and can be asked.
    pub fn is_attended(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Whether progress may be drawn.
    pub fn progress(&self) -> bool {
        !self.json && std::io::stderr().is_terminal()
    }
}

/// Prints a line; a reader that went away (`loa … | head`) is not an error.
fn line(text: &str) -> anyhow::Result<()> {
    let text = text.trim_end_matches('\n');
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints a line of a story. That nobody reads any more (`loa demo | head`) does not end it: the services go on.
pub fn told(text: &str) {
    // the story itself needs no reader; whoever wants to see looks at the pages
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// `println!` that does not panic when standard output is closed.
macro_rules! tell {
    ($($text:tt)*) => { $crate::output::told(&format!($($text)*)) };
}
pub(crate) use tell;

/// Shows a part of a question, beside the results: to standard error.
pub fn ask(text: &str, end: &str) {
    let mut error = std::io::stderr().lock();
    // whoever closed it cannot be asked, and answers nothing
    let _ = write!(error, "{text}{end}").and_then(|()| error.flush());
}

/// Tells why the command failed. Standard error may be closed, too: then nobody wants to know.
pub fn complain(text: &str) {
    // `eprintln!` would panic, and turn the exit code into another one
    let _ = writeln!(std::io::stderr().lock(), "loa: {text}");
}

/// An error with its causes, on one line; each sentence once.
pub fn sentence(error: &anyhow::Error) -> String {
    with_causes(error.as_ref())
}

/// Columns for people: each as wide as its widest cell, two spaces between. Cells are made [`plain`].
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| plain(cell)).collect()).collect();
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let draw = |cells: Vec<&str>| {
        let cells: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![draw(head.to_vec())];
    lines.extend(rows.iter().map(|row| draw(row.iter().map(String::as_str).collect())));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_each_cause_once() {
        let error = anyhow::anyhow!("disk full").context("cannot open the ledger: disk full");
        assert_eq!(sentence(&error), "cannot open the ledger: disk full");
        let error = anyhow::anyhow!("no such file").context("cannot read a.txt");
        assert_eq!(sentence(&error), "cannot read a.txt: no such file");
    }

    #[test]
    fn columns_line_up_over_vietnamese_text() {
        let text = table(&["TÊN", "SỐ"], &[vec!["Na Son".into(), "1".into()], vec!["Mường Luân".into(), "2".into()]]);
        assert_eq!(text, "TÊN         SỐ\nNa Son      1\nMường Luân  2");
    }
}
