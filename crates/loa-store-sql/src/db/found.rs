//! What an engine found wrong with the place where a ledger is kept: damage, a full disk, missing rights.
//!
//! Whoever meets it notes it here, by what was tried. It is taken back when the same is tried again and succeeds, or by
//! whoever looks after the place and finds it good ([`LedgerPlace`](super::LedgerPlace)): what failed once need not be tried
//! by anybody soon, as an editor's request.

use crate::{
    fault::{Fault, Result, corrupt, is_of_wrong_type},
    row::{Kept, Keyed},
};
use loa_domain::{Trouble, with_causes};
use loa_store::StoreErrorKind;
use std::{
    collections::BTreeMap,
    fmt::Display,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// What stands.
#[derive(Debug, Default)]
pub(crate) struct Found(Mutex<Notes>);

#[derive(Debug, Default)]
struct Notes {
    /// By what was tried, which is one of a fixed set.
    troubles: BTreeMap<&'static str, Noted>,
    /// Rows that our own code cannot read, by table and key.
    unreadable: BTreeMap<(&'static str, String), String>,
    /// When the engine last met trouble.
    met_at: Option<Instant>,
}

#[derive(Debug)]
struct Noted {
    trouble: Trouble,
    at: Instant,
    /// No look at the place takes it back before.
    stands_until: Instant,
}

/// Who met trouble, and how long it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    /// We: a file that is not in its place.
    ByUs,
    /// The engine.
    ByEngine,
    /// The engine, and what succeeds a moment later proves little: a full disk has room for a small write.
    LingeringByEngine,
}

const LINGERS: Duration = Duration::from_secs(20);

/// The most unreadable rows that are told apart; more are one more.
const UNREADABLE_MAX: usize = 1_000;
/// The most of them that are named at once.
const UNREADABLE_TOLD_MAX: usize = 20;

impl Found {
    /// Notes what came of `doing`. Where the engine said so, connections that are open now are not used again.
    pub(crate) fn note(&self, doing: &'static str, trouble: Trouble, met: Met) {
        let (mut notes, at) = (self.notes(), Instant::now());
        if met != Met::ByUs {
            notes.met_at = Some(at);
        }
        let stands_until = if met == Met::LingeringByEngine { at + LINGERS } else { at };
        notes.troubles.insert(doing, Noted { trouble, at, stands_until });
    }

    /// `doing` succeeded.
    pub(crate) fn went_well(&self, doing: &'static str) {
        let mut notes = self.notes();
        if !notes.troubles.is_empty() {
            notes.troubles.remove(doing);
        }
    }

    /// When the engine last met trouble: connections that are older may remember pages as they were.
    pub(crate) fn met_at(&self) -> Option<Instant> {
        self.notes().met_at
    }

    /// The place was found good: takes back what was noted before `since`.
    pub(crate) fn is_good_since(&self, since: Instant) {
        self.notes().troubles.retain(|_, noted| noted.stands_until >= since);
    }

    /// The newest trouble that stands.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.notes().troubles.values().max_by_key(|noted| noted.at).map(|noted| noted.trouble.clone())
    }

    /// Sorts what reading a row came to: `None` for one that our own code cannot read. That one is noted and set aside, and
    /// the others go on.
    pub(crate) fn sort<T>(&self, table: &'static str, key: impl Display, read: Result<T>) -> Result<Option<T>> {
        match read {
            Ok(read) => {
                self.readable(table, key);
                Ok(Some(read))
            }
            Err(Fault::Known(error)) if error.kind == StoreErrorKind::Corrupt => {
                self.unreadable(table, key.to_string(), with_causes(&error));
                Ok(None)
            }
            // a text that is no UTF-8, or a value of another type, in a row that was asked for alone
            Err(Fault::Sql(sqlx::Error::ColumnDecode { index, source })) => {
                let said = corrupt(table, index.trim_matches('"'), &key, source);
                self.sort(table, key, Err(said))
            }
            Err(Fault::Sql(error)) if is_of_wrong_type(&error) => {
                let what = format!("{table} of {key} cannot be written: {error}");
                self.unreadable(table, key.to_string(), what);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// The same, where only a part of the row was met: that this went well does not prove that the rest can be read.
    pub(crate) fn sort_part<T>(&self, table: &'static str, key: impl Display, met: Result<T>) -> Result<Option<T>> {
        match met {
            Ok(met) => Ok(Some(met)),
            Err(fault) => self.sort(table, key, Err(fault)),
        }
    }

    /// The rows that can be read. The others are noted and set aside; those that can are not yet known to be good, since more
    /// is read out of them.
    pub(crate) fn rows<T: Keyed>(&self, kept: Vec<Kept<T>>) -> Vec<T> {
        let mut rows = Vec::with_capacity(kept.len());
        for one in kept {
            let key = one.key();
            match one.read() {
                Ok(row) => rows.push(row),
                Err(Fault::Known(error)) => self.unreadable(T::TABLE, key, with_causes(&error)),
                Err(_) => {} // `read` makes no other
            }
        }
        rows
    }

    /// How many rows of a table are known that cannot be read.
    pub(crate) fn unreadable_in(&self, table: &str) -> usize {
        self.notes().unreadable.keys().filter(|(known, _)| *known == table).count()
    }

    /// Notes a row that cannot be read; logged once.
    fn unreadable(&self, table: &'static str, key: String, sentence: String) {
        let mut notes = self.notes();
        let is_full = notes.unreadable.len() >= UNREADABLE_MAX;
        let place = (table, key);
        if !is_full && !notes.unreadable.contains_key(&place) {
            tracing::error!(error = %sentence, "a row of a ledger cannot be read: it is set aside, and the others go on");
        }
        if !is_full || notes.unreadable.contains_key(&place) {
            notes.unreadable.insert(place, sentence);
        }
    }

    /// A row can be read (again).
    pub(crate) fn readable(&self, table: &'static str, key: impl Display) {
        let mut notes = self.notes();
        if !notes.unreadable.is_empty() {
            notes.unreadable.remove(&(table, key.to_string()));
        }
    }

    /// How many rows cannot be read, and the sentences of the first ones.
    pub(crate) fn unreadable_rows(&self) -> (u64, Vec<String>) {
        let notes = self.notes();
        (notes.unreadable.len() as u64, notes.unreadable.values().take(UNREADABLE_TOLD_MAX).cloned().collect())
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loa_domain::TroubleKind;

    #[test]
    fn trouble_stands_until_the_same_succeeds_or_the_place_is_found_good() {
        let (found, damaged) = (Found::default(), || Trouble::from(TroubleKind::Damaged));
        found.note("accept", damaged(), Met::ByEngine);
        found.went_well("read");
        assert_eq!(found.trouble(), Some(damaged()), "another page may be whole");
        found.went_well("accept");
        assert_eq!(found.trouble(), None);

        found.note("accept", damaged(), Met::ByEngine);
        let looked_at = found.met_at().unwrap();
        found.is_good_since(looked_at);
        assert!(found.trouble().is_some(), "it was met while somebody looked");
        found.is_good_since(looked_at + Duration::from_millis(1));
        assert_eq!(found.trouble(), None);

        found.note("accept", TroubleKind::DiskFull.into(), Met::LingeringByEngine);
        found.is_good_since(Instant::now() + Duration::from_secs(1));
        assert!(found.trouble().is_some(), "a small write fits into a full disk");
        found.went_well("accept");
        assert_eq!(found.trouble(), None);
    }

    #[test]
    fn unreadable_rows_are_counted_once_each_and_no_longer_than_they_are() {
        let found = Found::default();
        for _ in 0..2 {
            found.unreadable("item", "a".into(), "item.content of a cannot be read back".into());
        }
        assert_eq!(found.unreadable_rows(), (1, vec!["item.content of a cannot be read back".into()]));
        found.readable("item", "a");
        assert_eq!(found.unreadable_rows(), (0, Vec::new()));
        (0..2 * UNREADABLE_MAX).for_each(|n| found.unreadable("item", n.to_string(), String::new()));
        assert_eq!(found.unreadable_rows().0, UNREADABLE_MAX as u64);
    }
}
