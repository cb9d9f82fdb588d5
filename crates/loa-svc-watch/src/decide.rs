//! What follows from what was seen: when a page is read again, what is gone, what is odd about a source, when it is due.
//!
//! Pure: it is handed the time, and neither asks nor writes anything.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use loa_domain::{WatchFailure, WatchKind, WatchWarning, WatchedState};
use loa_portal::{Listed, ListedItem, PortalPage, SourceForm};
use loa_store::{WatchSource, WatchState, WatchedItem};
use ring::digest::{Context, SHA256};

/// A source that fails is asked less and less often, but so often at least.
const BACKOFF_MAX: SignedDuration = SignedDuration::from_hours(6);
/// So many pages missing at once, and more than half of those looked at, are the site's fault.
const MANY_MISSING_MIN: u32 = 3;
/// So many refused at once, and more than half of those looked at, are told.
const MANY_REFUSED_MIN: u32 = 3;
/// A source that names fewer dated articles does not say how often it usually has one.
const DATES_MIN: usize = 6;
/// So long before the first look at a list without times, what is published was there.
const UNDATED_MARGIN: SignedDuration = SignedDuration::from_hours(72);
/// No source counts as late sooner.
const LATE_MIN: SignedDuration = SignedDuration::from_hours(48);
/// The longest title that is compared by its letters.
const TITLE_KEY_MAX: usize = 200;
/// Of two that are changed for other reasons than the text, the second makes a list read under it be read anew.
const READER: &str = "1";

/// When a page is withdrawn whose page is missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MissingRule {
    pub(crate) looks_min: u32,
    pub(crate) time_min: SignedDuration,
}

/// An address of a source as it is kept: without what says who visits.
pub(crate) fn key(item: &ListedItem) -> String {
    loa_portal::without_visitor(&item.address).to_string()
}

/// A title as lists are compared; of one that is longer than titles are, its digest: what is looked for is short.
pub(crate) fn title_key(title: &str) -> String {
    let key = title.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if key.chars().count() > TITLE_KEY_MAX { digest_of(&[&key]) } else { key }
}

/// When a list says that an article was published: its time, or the beginning of its day.
pub(crate) fn listed_at(item: &ListedItem, zone: &TimeZone) -> Option<Timestamp> {
    let day = || item.posted_on.and_then(|day| day.to_zoned_datetime(zone.clone()).ok()).map(|at| at.timestamp());
    item.published_at.or_else(day)
}

/// The latest that an article may have been published by what its list says: a day alone lasts until its end.
pub(crate) fn listed_until(item: &ListedItem, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let end =
        |day: jiff::civil::Date| Some(day.tomorrow().ok()?.to_zoned_datetime(zone.clone()).ok()?.timestamp().min(now));
    item.published_at.or_else(|| item.posted_on.filter(|_| listed_at(item, zone) <= Some(now)).and_then(end))
}

/// Until when what stands behind this item of a list was published: of a day that is not over, more may come.
pub(crate) fn behind(item: &ListedItem, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let until = listed_until(item, zone, now)?;
    let day_before = || listed_at(item, zone).and_then(|at| at.checked_sub(SignedDuration::from_secs(1)).ok());
    if item.published_at.is_none() && until >= now { day_before() } else { Some(until) }
}

/// Whether an article that a list names only now was there when the source was first looked at, behind what was read of it
/// then: it comes into the list when another one leaves it, and is no news. Where the list said no times then, what was
/// published well before that look was there.
pub(crate) fn stood_behind(state: &WatchState, published_until: Timestamp) -> bool {
    state.began_at.is_some_and(|began| {
        let margin = || began.checked_sub(UNDATED_MARGIN).unwrap_or(Timestamp::MIN);
        published_until < began && published_until <= state.behind_until.unwrap_or_else(margin)
    })
}

/// An article that a source names for the first time. One that was there before the watch is known and told to nobody, unless
/// the source was added for what was published since then; where the list does not say when that was, the page must.
pub(crate) fn first_seen(
    item: &ListedItem,
    was_there: bool,
    source: &WatchSource,
    zone: &TimeZone,
    now: Timestamp,
) -> WatchedItem {
    let at = listed_at(item, zone);
    let is_wanted = !was_there || source.since.is_some_and(|since| at.is_none_or(|at| at >= since));
    WatchedItem {
        address: key(item),
        title_key: title_key(&item.title),
        title: item.title.clone(),
        listed_at: at,
        changed_at: item.changed_at,
        state: if is_wanted { WatchedState::Waiting } else { WatchedState::Known },
        article: None,
        digest: None,
        is_text_of_list: false,
        page_digest: None,
        etag: None,
        last_modified: None,
        first_seen_at: now,
        looked_at: None,
        due_at: is_wanted.then_some(now),
        looks: 0,
        failures: 0,
        missing: 0,
        missing_since: None,
        error: None,
    }
}

/// What a source says anew of an article that it named before; `None`: nothing. What was published is read again at once; what
/// is withdrawn, or has another address now, is looked for again every `returns`, as long as it is named.
pub(crate) fn seen_again(
    known: &WatchedItem,
    item: &ListedItem,
    zone: &TimeZone,
    returns: SignedDuration,
    now: Timestamp,
) -> Option<WatchedItem> {
    if matches!(known.state, WatchedState::Withdrawn | WatchedState::Moved) {
        let looks_for = known.due_at.is_none();
        let due_at = Some(known.looked_at.map_or(now, |at| later(at, returns)));
        return looks_for.then(|| WatchedItem { due_at, etag: None, last_modified: None, ..known.clone() });
    }
    let other_title = !item.title.is_empty() && title_key(&item.title) != known.title_key;
    let later_change = item.changed_at.is_some() && item.changed_at != known.changed_at;
    let at = listed_at(item, zone);
    let other_time = at.is_some() && at != known.listed_at && item.published_at.is_some();
    if !(other_title || later_change || other_time) {
        return None;
    }
    let mut again = known.clone();
    if other_title {
        (again.title, again.title_key) = (item.title.clone(), title_key(&item.title));
    }
    (again.changed_at, again.listed_at) = (item.changed_at.or(known.changed_at), at.or(known.listed_at));
    if matches!(known.state, WatchedState::Published | WatchedState::Refused) {
        again.due_at = Some(known.due_at.map_or(now, |due| due.min(now)));
        // the page may be as old as its validator says only where the source does not say otherwise
        (again.etag, again.last_modified) = (None, None);
    }
    Some(again)
}

/// When a page is read again after so many looks; `None`: not any more.
pub(crate) fn look_again(looks: u32, schedule: &[u64], now: Timestamp) -> Option<Timestamp> {
    let wait = schedule.get(usize::try_from(looks.saturating_sub(1)).ok()?)?;
    Some(later(now, SignedDuration::from_secs(i64::try_from(*wait).ok()?)))
}

/// Counts that a page is missing, and says whether the article seems gone: missing again and again, and over time.
pub(crate) fn seems_gone(item: &mut WatchedItem, rule: MissingRule, now: Timestamp) -> bool {
    item.missing = item.missing.saturating_add(1);
    let since = *item.missing_since.get_or_insert(now);
    item.missing >= rule.looks_min && now.duration_since(since) >= rule.time_min
}

/// Whether other pages of the source were there since this one is missing: else all of the site may be.
pub(crate) fn others_are_there(item: &WatchedItem, page_read_at: Option<Timestamp>) -> bool {
    item.missing_since.is_some_and(|since| page_read_at.is_some_and(|at| at >= since))
}

/// When a missing page is read again: soon enough to decide once the rule's time is over.
pub(crate) fn missing_again(rule: MissingRule, now: Timestamp) -> Timestamp {
    let between = rule.time_min.as_secs() / i64::from(rule.looks_min.saturating_sub(1).max(1));
    later(now, SignedDuration::from_secs(between.max(1)))
}

/// Whether so many missing pages are the site's fault.
pub(crate) fn are_too_many(missing: u32, looked_at: u32) -> bool {
    missing >= MANY_MISSING_MIN && 2 * missing > looked_at
}

/// Pages that could not be had or read, where it is most of them.
pub(crate) fn refused_warning(refused: u32, looked_at: u32, why: Option<&WatchFailure>) -> Option<WatchWarning> {
    let is_most = refused >= MANY_REFUSED_MIN && 2 * refused > looked_at;
    let why = why.filter(|_| is_most)?.clone();
    Some(WatchWarning::PagesRefused { refused, looked_at, why })
}

/// Whether a page is that of an article known by another address: its list gives it the same title, it was published in the
/// same minute, and its list does not name that address any more. A day alone is no time: two notices of one day may share a title.
pub(crate) fn has_moved(
    known: &WatchedItem,
    published_at: Option<Timestamp>,
    is_still_listed: bool,
    zone: &TimeZone,
) -> bool {
    let is_final = matches!(known.state, WatchedState::Published | WatchedState::Known);
    let (Some(known_at), Some(at)) = (known.listed_at, published_at) else { return false };
    let is_midnight = |at: Timestamp| at.to_zoned_datetime(zone.clone()).time() == jiff::civil::Time::midnight();
    // feeds say the second, most pages the minute
    let minute = |at: Timestamp| at.as_second().div_euclid(60);
    is_final && !is_still_listed && minute(known_at) == minute(at) && !is_midnight(at)
}

/// Whether a list has the form that the source had when it was added.
pub(crate) fn is_of_kind(listed: &Listed, source: &WatchSource) -> bool {
    kind_of(listed.form) == source.kind
}

/// The kind of source that a form makes.
pub(crate) fn kind_of(form: SourceForm) -> WatchKind {
    match form {
        SourceForm::Feed | SourceForm::WordPress => WatchKind::Feed,
        SourceForm::Sitemap => WatchKind::Sitemap,
        SourceForm::Listing => WatchKind::Listing,
    }
}

/// The newest of these times, and how long it usually takes until the next, at most: three times the gap that four of five
/// do not exceed.
pub(crate) fn rhythm(times: &[Timestamp], now: Timestamp) -> (Option<Timestamp>, Option<u64>) {
    let mut times: Vec<Timestamp> = times.iter().copied().filter(|at| *at <= now).collect();
    times.sort_unstable();
    let newest = times.last().copied();
    if times.len() < DATES_MIN {
        return (newest, None);
    }
    let mut gaps: Vec<i64> =
        times.iter().zip(times.iter().skip(1)).map(|(one, next)| next.duration_since(*one).as_secs()).collect();
    gaps.sort_unstable();
    let usual = gaps.get(gaps.len() * 4 / 5).copied().unwrap_or_default().saturating_mul(3).max(LATE_MIN.as_secs());
    (newest, u64::try_from(usual).ok())
}

/// Whether a source is later than is usual for it.
pub(crate) fn late_warning(state: &WatchState, now: Timestamp) -> Option<WatchWarning> {
    let (newest_at, usual_seconds) = (state.newest_at?, state.usual_seconds?);
    let usual = SignedDuration::from_secs(i64::try_from(usual_seconds).ok()?);
    (now.duration_since(newest_at) > usual).then_some(WatchWarning::Late { newest_at, usual_seconds })
}

/// The same warning as before keeps the time at which it was first seen.
pub(crate) fn since(before: &[WatchWarning], warning: WatchWarning) -> WatchWarning {
    for known in before {
        match (known, &warning) {
            (WatchWarning::Empty { since }, WatchWarning::Empty { .. }) => {
                return WatchWarning::Empty { since: *since };
            }
            (WatchWarning::FormChanged { since, .. }, WatchWarning::FormChanged { why, .. }) => {
                return WatchWarning::FormChanged { since: *since, why: why.clone() };
            }
            _ => {}
        }
    }
    warning
}

/// When a source is looked at next: a failing one less and less often.
pub(crate) fn due_again(every_seconds: u64, failures: u32, now: Timestamp) -> Timestamp {
    let every = SignedDuration::from_secs(i64::try_from(every_seconds).unwrap_or(i64::MAX));
    let doubled = every.saturating_mul(1_i32 << failures.min(10));
    later(now, doubled.min(BACKOFF_MAX.max(every)))
}

/// The digest of what decides how a list is read: under others its validators say nothing.
pub(crate) fn settings_digest(source: &WatchSource) -> String {
    let selectors = serde_json::to_string(&source.selectors).unwrap_or_default();
    digest_of(&[READER, &source.address, source.kind.as_str(), &selectors])
}

/// The digest of a page as it would be published. Counters, ratings and lists beside the article are not in it.
pub(crate) fn page_digest(page: &PortalPage) -> String {
    let mut parts: Vec<String> = Vec::new();
    if let Some(article) = &page.article {
        parts.extend([
            article.title.clone(),
            article.summary.clone(),
            article.content_html.clone(),
            article.source_name.clone(),
        ]);
        parts.push(article.published_at.map(|at| at.to_string()).unwrap_or_default());
        let pictures = article.images.iter().filter_map(|image| image.url.as_ref());
        parts.push(pictures.map(url::Url::as_str).collect::<Vec<_>>().join(" "));
    }
    for document in &page.documents {
        parts.extend([document.number.clone(), document.title.clone(), document.issuer.clone()]);
        parts.push(document.issued_on.map(|day| day.to_string()).unwrap_or_default());
    }
    parts.extend(page.files.iter().map(|file| file.url.to_string()));
    digest_of(&parts.iter().map(String::as_str).collect::<Vec<_>>())
}

fn digest_of(parts: &[&str]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An instant later, or the end of time.
pub(crate) fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
