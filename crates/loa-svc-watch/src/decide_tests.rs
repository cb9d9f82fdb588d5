//! What is decided about a source and its articles.

use super::*;
use loa_domain::{Selectors, WatchKind};
use url::Url;

fn at(hour: i64) -> Timestamp {
    let begin: Timestamp = "2026-03-01T00:00:00Z".parse().expect("an instant");
    later(begin, SignedDuration::from_hours(hour))
}

fn zone() -> TimeZone {
    TimeZone::get("Asia/Ho_Chi_Minh").expect("a zone")
}

fn source(since: Option<Timestamp>) -> WatchSource {
    WatchSource {
        name: "xa-a".into(),
        portal: String::new(),
        address: "https://xa.example/tin".into(),
        host: "xa.example".into(),
        kind: WatchKind::Listing,
        selectors: Selectors::default(),
        since,
        every_seconds: 900,
        created_at: at(0),
    }
}

fn item(title: &str, published_at: Option<Timestamp>) -> ListedItem {
    let address: Url = "https://xa.example/tin/1.html?UserKey=9".parse().expect("an address");
    let (summary, author) = (String::new(), String::new());
    ListedItem {
        address,
        title: title.into(),
        published_at,
        posted_on: None,
        changed_at: None,
        summary,
        content: None,
        author,
    }
}

#[test]
fn what_was_there_before_the_watch_is_known_and_told_to_nobody_unless_it_was_asked_for() {
    let state = |published_at, is_first, since| {
        first_seen(&item("Họp dân", published_at), is_first, &source(since), &zone(), at(9)).state
    };
    assert_eq!(state(Some(at(1)), true, None), WatchedState::Known);
    assert_eq!(state(Some(at(1)), false, None), WatchedState::Waiting);
    assert_eq!(state(Some(at(1)), true, Some(at(1))), WatchedState::Waiting);
    assert_eq!(state(Some(at(0)), true, Some(at(1))), WatchedState::Known);
    assert_eq!(state(None, true, Some(at(1))), WatchedState::Waiting, "its page says when");
    let known = first_seen(&item("Họp dân", None), true, &source(None), &zone(), at(9));
    assert_eq!((known.due_at, known.address.as_str()), (None, "https://xa.example/tin/1.html"));
}

#[test]
fn a_title_or_a_time_that_the_list_mends_has_the_page_read_again_at_once() {
    let mut known = first_seen(&item("Họp dân", Some(at(1))), false, &source(None), &zone(), at(2));
    (known.state, known.due_at, known.etag) = (WatchedState::Published, Some(at(50)), Some("x".into()));
    assert_eq!(
        seen_again(&known, &item("Họp  dân", Some(at(1))), &zone(), SignedDuration::from_hours(24), at(3)),
        None
    );
    for news in [item("Họp dân bản", Some(at(1))), item("Họp dân", Some(at(2)))] {
        let again = seen_again(&known, &news, &zone(), SignedDuration::from_hours(24), at(3)).expect("news");
        assert_eq!((again.due_at, again.etag), (Some(at(3)), None));
    }
    known.state = WatchedState::Known;
    let again =
        seen_again(&known, &item("Khác", Some(at(1))), &zone(), SignedDuration::from_hours(24), at(3)).expect("news");
    assert_eq!(again.due_at, Some(at(50)), "what nobody was told of is not read for it");
}

#[test]
fn an_article_is_gone_only_when_its_page_is_missing_again_and_again_and_over_time() {
    let rule = MissingRule { looks_min: 3, time_min: SignedDuration::from_hours(24) };
    let mut item = first_seen(&item("Họp dân", None), false, &source(None), &zone(), at(0));
    let gone: Vec<bool> = [0, 1, 2, 23].map(|hour| seems_gone(&mut item, rule, at(hour))).to_vec();
    assert_eq!(gone, [false; 4], "often, but not for long");
    assert!(seems_gone(&mut item, rule, at(24)));
    let mut once = item.clone();
    (once.missing, once.missing_since) = (1, Some(at(0)));
    assert!(!seems_gone(&mut once, rule, at(500)), "for long, but not often");
    assert_eq!(missing_again(rule, at(0)), at(12));
    assert!(are_too_many(3, 5) && !are_too_many(3, 6) && !are_too_many(2, 2));
}

#[test]
fn pages_are_read_again_by_the_schedule_and_then_no_more() {
    let schedule = [3_600, 7_200];
    assert_eq!(look_again(1, &schedule, at(0)), Some(at(1)));
    assert_eq!(look_again(2, &schedule, at(0)), Some(at(2)));
    assert_eq!(look_again(3, &schedule, at(0)), None);
}

#[test]
fn a_source_that_usually_has_news_each_day_is_late_after_some_days_and_one_that_seldom_has_is_not() {
    let daily: Vec<Timestamp> = (0..10).map(|day| at(24 * day)).collect();
    let (newest_at, usual_seconds) = rhythm(&daily, at(230));
    assert_eq!((newest_at, usual_seconds), (Some(at(216)), Some(72 * 3_600)));
    let state = WatchState { newest_at, usual_seconds, ..WatchState::default() };
    assert_eq!(late_warning(&state, at(216 + 72)), None);
    assert!(matches!(late_warning(&state, at(216 + 73)), Some(WatchWarning::Late { .. })));
    assert_eq!(rhythm(&daily[..5], at(230)).1, None, "too few to say");
    let (newest, _) = rhythm(&[at(1), at(900)], at(230));
    assert_eq!(newest, Some(at(1)), "one dated ahead is not the newest");
}

#[test]
fn a_failing_source_is_asked_less_and_less_often() {
    let minutes = |failures| due_again(900, failures, at(0)).duration_since(at(0)).as_mins();
    assert_eq!([0, 1, 2, 20].map(minutes), [15, 30, 60, 360]);
    assert_eq!(due_again(86_400, 3, at(0)), at(24), "never more often than it was to be");
}

#[test]
fn an_article_has_moved_only_with_its_title_its_time_and_its_old_address_gone_from_the_list() {
    let mut known = first_seen(&item("Họp dân", Some(at(1))), false, &source(None), &zone(), at(2));
    known.state = WatchedState::Published;
    assert!(has_moved(&known, Some(at(1)), false, &zone()));
    assert!(!has_moved(&known, Some(at(1)), true, &zone()));
    assert!(!has_moved(&known, Some(at(3)), false, &zone()) && !has_moved(&known, None, false, &zone()));
    known.listed_at = Some(at(17)); // midnight in Vietnam
    assert!(!has_moved(&known, Some(at(17)), false, &zone()), "a day alone is no time");
}

#[test]
fn the_digest_of_a_page_is_that_of_the_article_not_of_what_stands_around_it() {
    let page = |views: u32, words: &str| {
        let html = format!(
            "<html><body><h1>Họp dân</h1><p>Thời gian đăng: 16/11/2023 08:02:22 AM</p><div itemprop=\"articleBody\"><p>Xã Na Son họp \
             dân, {words}.</p></div><p>Đã xem: {views}</p></body></html>"
        );
        page_digest(&loa_portal::read(html.as_bytes(), None, &zone()).expect("a page"))
    };
    assert_eq!(page(1, "bàn việc làng"), page(7_001, "bàn việc làng"));
    assert_ne!(page(1, "bàn việc làng"), page(1, "bàn việc nước"));
}

#[test]
fn what_comes_into_a_list_because_another_left_it_stood_behind_it_and_what_is_newer_is_news() {
    let state = |behind: Option<i64>| WatchState {
        began_at: Some(at(100)),
        behind_until: behind.map(at),
        ..WatchState::default()
    };
    assert!(stood_behind(&state(Some(50)), at(49)) && stood_behind(&state(Some(50)), at(50)));
    assert!(!stood_behind(&state(Some(50)), at(51)), "dated back a little, it is news");
    assert!(!stood_behind(&state(Some(200)), at(101)), "published since");
    assert!(stood_behind(&state(None), at(27)) && !stood_behind(&state(None), at(29)), "a list without times");
    assert!(!stood_behind(&WatchState::default(), at(0)), "it was not looked at yet");
}
