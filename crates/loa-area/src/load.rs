//! Reads areas from CSV text.
//!
//! It knows the columns and what each may hold. It reads no file; the caller gives each text a
//! label for errors. `directory.rs` checks whether the areas fit together (ids, codes, successors).

use crate::{Area, AreaKind, Share, Succession};
use jiff::civil::Date;
use loa_domain::{AreaId, clean_line};
use std::fmt;

/// One file of the directory: what to call it in errors, and its whole text.
#[derive(Debug, Clone, Copy)]
pub struct AreaFile<'a> {
    /// For instance its path.
    pub label: &'a str,
    /// CSV with a header line; a byte order mark at its start is ignored.
    pub text: &'a str,
}

/// Why a directory was not loaded. The sentence names file, line, column, fault and remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct LoadError {
    /// The file, as the caller calls it.
    pub label: String,
    /// The line in it, 1 and up; 0 for the whole file.
    pub line: u64,
    /// The column's name; empty when the fault is in no one column.
    pub column: String,
    /// What is wrong and what to do, one sentence without full stop.
    pub problem: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)?;
        if self.line > 0 {
            write!(f, ", line {}", self.line)?;
        }
        if !self.column.is_empty() {
            write!(f, ", column `{}`", self.column)?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// The header of every file, in this order or any other.
pub(crate) const COLUMNS: [&str; 10] =
    ["id", "code", "name", "kind", "district", "province", "valid_from", "valid_until", "successors", "aliases"];

/// An area and where it stood, for the checks that need all of them.
pub(crate) struct Row {
    pub(crate) area: Area,
    pub(crate) label: String,
    pub(crate) line: u64,
}

impl Row {
    pub(crate) fn fault(&self, column: &str, problem: impl Into<String>) -> LoadError {
        LoadError { label: self.label.clone(), line: self.line, column: column.to_owned(), problem: problem.into() }
    }
}

/// Reads one file. Order is the file's.
pub(crate) fn read(file: AreaFile<'_>) -> Result<Vec<Row>, LoadError> {
    let text = file.text.strip_prefix('\u{feff}').unwrap_or(file.text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let whole =
        |line: u64, problem: String| LoadError { label: file.label.to_owned(), line, column: String::new(), problem };
    let header = reader
        .headers()
        .map_err(|e| whole(1, format!("the header cannot be read ({e}); save the file as CSV in UTF-8")))?;
    let header: Vec<String> = header.iter().map(str::to_owned).collect();
    let places = places(&header).map_err(|problem| whole(1, problem))?;
    let mut rows = Vec::new();
    let (mut line, mut counted) = (1, 0);
    for record in reader.records() {
        let record = record.map_err(|e| {
            whole(
                e.position().map_or(0, csv::Position::line),
                format!("the line cannot be read ({e}); check its quotes"),
            )
        })?;
        // The reader's own line is that of the blank lines before the record.
        let start = record.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or(usize::MAX)).min(text.len());
        let blank = text.as_bytes()[start..].iter().take_while(|b| b.is_ascii_whitespace()).count();
        line += text.as_bytes()[counted..start + blank].iter().filter(|b| **b == b'\n').count() as u64;
        counted = start + blank;
        if record.len() != header.len() {
            let problem = format!(
                "the line has {} fields where the header has {}; put a text with commas in double quotes",
                record.len(),
                header.len()
            );
            return Err(whole(line, problem));
        }
        let cell = |column: usize| clean_line(record.get(places[column]).unwrap_or_default());
        let area = area(cell).map_err(|(column, problem)| LoadError {
            label: file.label.to_owned(),
            line,
            column: COLUMNS[column].to_owned(),
            problem,
        })?;
        rows.push(Row { area, label: file.label.to_owned(), line });
    }
    Ok(rows)
}

/// Where each of [`COLUMNS`] stands in the header.
fn places(header: &[String]) -> Result<Vec<usize>, String> {
    if let Some(extra) = header.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        return Err(format!("the column `{extra}` is not known; the columns are {}", COLUMNS.join(", ")));
    }
    COLUMNS
        .iter()
        .map(|column| {
            let mut found = header.iter().enumerate().filter(|(_, name)| name == column).map(|(place, _)| place);
            match (found.next(), found.next()) {
                (Some(place), None) => Ok(place),
                (None, _) => Err(format!("the column `{column}` is missing; the columns are {}", COLUMNS.join(", "))),
                (Some(_), Some(_)) => Err(format!("the column `{column}` stands twice; remove one")),
            }
        })
        .collect()
}

type Fault = (usize, String);

fn area(cell: impl Fn(usize) -> String) -> Result<Area, Fault> {
    let id = AreaId::new(cell(0)).map_err(|e| (0, format!("{e}; an id is made of a-z, 0-9 and -, 100 at most")))?;
    let code = cell(1);
    if code.is_empty() || !code.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err((1, format!("the code {code:?} must be letters and digits, leading zeros kept (03205)")));
    }
    let kind_text = cell(3);
    let kind = AreaKind::parse(&kind_text).ok_or_else(|| {
        let known: Vec<_> = AreaKind::ALL.into_iter().map(AreaKind::vietnamese).collect();
        (3, format!("the kind {kind_text:?} is not known; write one of {}", known.join(", ")))
    })?;
    let name = cell(2);
    name_fits(&name).map_err(|problem| (2, problem))?;
    let aliases = list(&cell(9));
    for alias in &aliases {
        name_fits(alias).map_err(|problem| (9, problem))?;
    }
    let (valid_from, valid_until) = (date(&cell(6), 6)?, date(&cell(7), 7)?);
    if let (Some(from), Some(until)) = (valid_from, valid_until)
        && until <= from
    {
        return Err((7, format!("{until} is not after `valid_from` {from}; it is the first day no longer in force")));
    }
    let successors =
        list(&cell(8)).iter().map(|text| succession(text)).collect::<Result<Vec<_>, _>>().map_err(|p| (8, p))?;
    shares_fit(&successors).map_err(|problem| (8, problem))?;
    if valid_until.is_none() && !successors.is_empty() {
        return Err((8, "an area still in force has no successors; give `valid_until`, or empty this cell".to_owned()));
    }
    if cell(5).is_empty() {
        return Err((5, "the province is missing; write it with its kind (Tỉnh Điện Biên)".to_owned()));
    }
    Ok(Area {
        id,
        code,
        name,
        kind,
        district: cell(4),
        province: cell(5),
        valid_from,
        valid_until,
        successors,
        aliases,
    })
}

fn list(text: &str) -> Vec<String> {
    text.split(';').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn name_fits(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the name is missing; write it without its kind (Na Son)".to_owned());
    }
    let lower = name.to_lowercase();
    // There is a Phường Phường Đúc; no other kind begins a name.
    let has_kind = |kind: &AreaKind| {
        *kind != AreaKind::Ward && lower.starts_with(&format!("{} ", kind.vietnamese().to_lowercase()))
    };
    match AreaKind::ALL.into_iter().find(has_kind) {
        Some(kind) => Err(format!("the name {name:?} has its kind in it; write \"{kind}\" in the column `kind` only")),
        None => Ok(()),
    }
}

fn date(text: &str, column: usize) -> Result<Option<Date>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| (column, format!("{text:?} is not a date; write year-month-day (2025-07-01), or nothing")))
}

/// `id`, which is `id:whole`, or `id:part`, or `id:part-default`.
fn succession(text: &str) -> Result<Succession, String> {
    let (id, share) = text.split_once(':').unwrap_or((text, "whole"));
    let to = AreaId::new(id.trim()).map_err(|e| e.to_string())?;
    let share = Share::parse(share.trim())
        .ok_or_else(|| format!("the share {share:?} is not known; write whole, part or part-default"))?;
    Ok(Succession { to, share })
}

fn shares_fit(successors: &[Succession]) -> Result<(), String> {
    let count = |share| successors.iter().filter(|s| s.share == share).count();
    if count(Share::Whole) > 0 && successors.len() > 1 {
        return Err("an area that went whole to one successor has no other; write `:part` at each".to_owned());
    }
    if count(Share::PartDefault) > 1 {
        return Err("only one successor can be the part-default".to_owned());
    }
    Ok(())
}
