//! Sitemaps: one, or an index of many. Of an index, those are read that are new or have changed since they were read, and by
//! turns those whose time of change it does not name.

use crate::{
    look::{Gathered, List, Look},
    visitor::{Asked, Fetched},
};
use loa_portal::{Listed, ListedChild, SOURCE_BYTES_MAX};
use loa_store::{StoreError, WatchedChild};
use url::Url;

impl Look<'_> {
    /// Reads a sitemap, and of an index what is due. `first`: what stands at the source's address; `None`: as it was.
    pub(crate) async fn sitemaps(&mut self, first: Option<Listed>) -> Result<List, StoreError> {
        let is_first_look = !self.state.is_known;
        let (mut gathered, mut broken) = (Gathered::default(), None);
        if let Some(first) = first {
            self.gather(first.items, first.is_cut, is_first_look, &mut gathered).await?;
            self.state.children = named(&self.state.children, &first.children, is_first_look);
        }
        let mut children = self.state.children.clone();
        let most = self.inner.config().list_pages_max.saturating_sub(1).max(1) as usize;
        for at in due(&children, most) {
            let Some(child) = children.get_mut(at) else { continue };
            let Ok(address) = child.address.parse::<Url>() else { continue };
            child.tried_at = Some(self.now);
            let asked = Asked {
                address: &address,
                etag: child.etag.as_deref(),
                last_modified: child.last_modified.as_deref(),
                bytes_max: SOURCE_BYTES_MAX,
            };
            match self.inner.visitor.0.fetch(&asked).await {
                Fetched::Read(document) => match self.read(&document) {
                    Ok(listed) => {
                        let was_there = child.was_there && child.read_at.is_none();
                        (child.etag, child.last_modified) = (document.etag, document.last_modified);
                        (child.read_at, child.changed_at) = (Some(self.now), child.named_at);
                        self.gather(listed.items, listed.is_cut, was_there, &mut gathered).await?;
                    }
                    Err(why) => broken = Some(why),
                },
                Fetched::NotModified => (child.read_at, child.changed_at) = (Some(self.now), child.named_at),
                // the index may name what is gone, or not there yet; what it has was not read
                Fetched::Missing(_) => {}
                other => {
                    let is_paused = matches!(other, Fetched::Paused(_));
                    if let List::Failed(why) = self.failed(other) {
                        broken = Some(why);
                    }
                    if is_paused {
                        break;
                    }
                }
            }
        }
        self.record(&mut gathered, Some(children)).await?;
        self.judge(&gathered, is_first_look);
        Ok(broken.map_or(List::Read, List::Partly))
    }
}

/// The sitemaps that an index names now, with what is known of each.
fn named(known: &[WatchedChild], named: &[ListedChild], is_first_look: bool) -> Vec<WatchedChild> {
    let of = |child: &ListedChild| {
        let known = known.iter().find(|known| known.address == child.address.as_str());
        let fresh =
            || WatchedChild { address: child.address.to_string(), was_there: is_first_look, ..WatchedChild::default() };
        let mut of = known.cloned().unwrap_or_else(fresh);
        of.named_at = child.changed_at;
        of
    };
    named.iter().map(of).collect()
}

/// Which of them are read in this look, at most so many: those that are new or changed first, then those without a time of
/// change, the longest not asked for first.
fn due(children: &[WatchedChild], most: usize) -> Vec<usize> {
    let is_changed = |child: &WatchedChild| child.read_at.is_none() || child.named_at != child.changed_at;
    let mut due: Vec<usize> = (0..children.len())
        .filter(|at| children.get(*at).is_some_and(|child| is_changed(child) || child.named_at.is_none()))
        .collect();
    due.sort_by_key(|at| children.get(*at).map(|child| (!is_changed(child), child.tried_at, *at)));
    due.truncate(most);
    due
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    fn child(named_at: Option<Timestamp>, changed_at: Option<Timestamp>, tried_at: Option<Timestamp>) -> WatchedChild {
        WatchedChild { named_at, changed_at, tried_at, read_at: tried_at, ..WatchedChild::default() }
    }

    #[test]
    fn of_an_index_what_is_new_or_changed_is_read_and_what_says_no_time_by_turns() {
        let children = [
            child(at(5), at(5), at(10)),
            child(at(6), at(5), at(10)),
            child(None, None, at(30)),
            child(None, None, at(20)),
            child(at(1), None, None),
        ];
        assert_eq!(due(&children, 9), [4, 1, 3, 2], "what is as it was when it was read is not asked for");
        assert_eq!(due(&children, 2), [4, 1]);
    }

    #[test]
    fn what_an_index_named_at_the_first_look_was_there_and_what_it_names_later_is_new() {
        let of = |address: &str| ListedChild { address: address.parse().expect("an address"), changed_at: at(1) };
        let first = named(&[], &[of("https://xa.example/1.xml")], true);
        let later = named(&first, &[of("https://xa.example/1.xml"), of("https://xa.example/2.xml")], false);
        assert_eq!(later.iter().map(|child| child.was_there).collect::<Vec<_>>(), [true, false]);
    }
}
