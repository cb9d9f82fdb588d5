//! A feed: its head, its items newest first within a window, and the tombstones of withdrawn items.

use crate::{Entry, Farewell, FeedItem, Position, Site, Tombstone};
use jiff::Timestamp;
use loa_domain::{ArticleKey, FeedName, clean_line, clean_text};
use std::collections::BTreeMap;

/// Items of the largest size that fit into a feed's bytes.
const ITEMS_MIN: usize = 5;

/// How much of a feed is shown. What no longer fits is not lost: the ledger keeps it for archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Most items (1 and up).
    pub entries_max: usize,
    /// Most bytes of one document before compression; the newest item is shown whatever it takes. An item that would take
    /// more than a fifth of it is shown without its text, so that one long article cannot push all others out.
    pub bytes_max: usize,
    /// Most tombstones: enough that a reader who looks once a week learns of each.
    pub tombstones_max: usize,
}

impl Default for Window {
    /// 50 items and 250 kB: what readers poll every quarter of an hour must be cheap for them too. 50 tombstones.
    fn default() -> Self {
        Self { entries_max: 50, bytes_max: 250_000, tombstones_max: 50 }
    }
}

/// What a feed is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedHead {
    /// Its name in addresses.
    pub name: FeedName,
    /// Its name for people, without the site's.
    pub title: String,
    /// One sentence on what is in it.
    pub description: String,
}

/// A feed ready to be written. Its fields cannot be set from outside: order, window and uniqueness stand behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    head: FeedHead,
    items: Vec<FeedItem>,
    tombstones: Vec<(String, Tombstone)>,
    updated_at: Timestamp,
    position: Position,
    has_ended: bool,
}

impl Feed {
    /// Orders entries (newest `published_at` first, then by id), keeps the highest revision of each, and cuts to the
    /// window. A tombstone of something that stands is dropped: it was published again. Any order in, the same feed out.
    pub fn assemble(site: &Site, head: FeedHead, entries: &[Entry], tombstones: &[Tombstone], window: Window) -> Self {
        let standing = standing(entries);
        let gone = tombstones_of(site, &standing, tombstones, window.tombstones_max);
        let ordered = newest_first(standing);
        let mut items = Vec::with_capacity(ordered.len().min(window.entries_max));
        let mut bytes = 0;
        for entry in ordered.into_iter().take(window.entries_max.max(1)) {
            let item = item_of(site, entry, window);
            bytes += item.weight();
            if bytes > window.bytes_max && !items.is_empty() {
                break;
            }
            items.push(item);
        }
        Self::of(site, head, items, gone)
    }

    /// An archive document: every entry that it is given, newest first, as the feed itself would show it. What is gone is
    /// gone from here too, without a word: tombstones stand in the feed.
    pub fn archive(site: &Site, head: FeedHead, entries: &[Entry], window: Window) -> Self {
        let items = newest_first(standing(entries)).into_iter().map(|entry| item_of(site, entry, window)).collect();
        Self::of(site, head, items, Vec::new())
    }

    fn of(site: &Site, head: FeedHead, items: Vec<FeedItem>, gone: Vec<(String, Tombstone)>) -> Self {
        let moved = items.iter().map(|item| item.modified_at).chain(gone.iter().map(|(_, stone)| stone.at));
        let updated_at = moved.max().unwrap_or_else(|| site.tag.epoch());
        let head = FeedHead {
            name: head.name,
            title: clean_line(&head.title),
            description: clean_text(&head.description).trim().to_owned(),
        };
        Self { head, items, tombstones: gone, updated_at, position: Position::default(), has_ended: false }
    }

    /// The same, knowing where it stands among its feed's documents.
    pub fn at(self, position: Position) -> Self {
        Self { position, ..self }
    }

    /// Where it stands among its feed's documents.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The same feed, ended: before everything that stood in it, it says what took its place.
    pub fn ended(mut self, site: &Site, farewell: &Farewell) -> Self {
        self.items.insert(0, FeedItem::of_farewell(site, &self.head.name, farewell));
        self.updated_at = self.updated_at.max(farewell.at);
        self.has_ended = true;
        self
    }

    /// Whether nothing new is to be expected in it, for others took its place.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// What it is called.
    pub fn head(&self) -> &FeedHead {
        &self.head
    }

    /// The site's name and the feed's, as it stands in readers' lists.
    pub fn full_title(&self, site: &Site) -> String {
        match clean_line(&site.title) {
            // the home portal's own feed has its name already
            title if title.is_empty() || title == self.head.title => self.head.title.clone(),
            title => format!("{} – {title}", self.head.title),
        }
    }

    /// Newest first; before all of them a [`Farewell`].
    pub fn items(&self) -> &[FeedItem] {
        &self.items
    }

    /// What stands in it: the items without a [`Farewell`].
    pub fn entries(&self) -> &[FeedItem] {
        &self.items[usize::from(self.has_ended)..]
    }

    /// Outward id and tombstone, the latest first.
    pub fn tombstones(&self) -> &[(String, Tombstone)] {
        &self.tombstones
    }

    /// When something in it last changed significantly, a withdrawal too.
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }
}

/// The highest revision of each.
fn standing(entries: &[Entry]) -> BTreeMap<&ArticleKey, &Entry> {
    let mut standing: BTreeMap<&ArticleKey, &Entry> = BTreeMap::new();
    for entry in entries {
        let kept = standing.entry(&entry.article).or_insert(entry);
        if entry.content.revision() > kept.content.revision() {
            *kept = entry;
        }
    }
    standing
}

fn newest_first<'a>(standing: BTreeMap<&ArticleKey, &'a Entry>) -> Vec<&'a Entry> {
    let mut ordered: Vec<&Entry> = standing.into_values().collect();
    ordered.sort_by(|a, b| {
        let newest_first = b.content.published_at().cmp(&a.content.published_at());
        newest_first.then_with(|| a.article.cmp(&b.article))
    });
    ordered
}

/// Shortened by its own size only: what a reader has got of an entry must not change with its neighbours.
fn item_of(site: &Site, entry: &Entry, window: Window) -> FeedItem {
    let item = FeedItem::of(site, entry);
    if item.weight() > window.bytes_max / ITEMS_MIN { item.short(entry) } else { item }
}

fn tombstones_of(
    site: &Site,
    standing: &BTreeMap<&ArticleKey, &Entry>,
    tombstones: &[Tombstone],
    most: usize,
) -> Vec<(String, Tombstone)> {
    let mut latest: BTreeMap<&ArticleKey, &Tombstone> = BTreeMap::new();
    for stone in tombstones.iter().filter(|stone| !standing.contains_key(&stone.article)) {
        let kept = latest.entry(&stone.article).or_insert(stone);
        if (stone.at, &stone.reason) > (kept.at, &kept.reason) {
            *kept = stone;
        }
    }
    let mut ordered: Vec<&Tombstone> = latest.into_values().collect();
    ordered.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.article.cmp(&b.article)));
    ordered
        .into_iter()
        .take(most)
        .map(|stone| {
            let stone = Tombstone { reason: clean_text(&stone.reason).trim().to_owned(), ..stone.clone() };
            (stone.tag.as_ref().unwrap_or(&site.tag).entry(&stone.article), stone)
        })
        .collect()
}
