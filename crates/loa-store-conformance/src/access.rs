//! Rules of the access ledger.

use crate::build::at;
use loa_domain::{Portal, PortalSlug, Scope};
use loa_store::{AccessLedger, StoreErrorKind};
use std::sync::Arc;

/// Calls `$test!(rule)` for each rule of this file.
#[macro_export]
macro_rules! access_rules {
    ($test:ident) => {
        $test!(a_token_is_found_by_the_hash_of_its_secret_revoked_or_not);
        $test!(a_name_is_taken_for_ever);
        $test!(a_secret_is_one_tokens_only);
        $test!(revoking_twice_keeps_the_first_time);
        $test!(revoking_an_unknown_name_is_not_found);
        $test!(tokens_are_listed_by_name);
        $test!(tokens_survive_a_crash);
        $test!(the_ledger_answers_a_ping);
        $test!(a_token_keeps_the_portals_to_which_it_is_bound);
        $test!(portals_are_listed_by_slug_as_they_were_added_and_survive_a_crash);
        $test!(slug_source_and_tag_are_one_portals_only);
        $test!(of_many_who_add_one_portal_at_once_one_is_first);
        $test!(a_retired_portal_keeps_its_first_time_and_its_names);
    };
}

pub async fn a_token_is_found_by_the_hash_of_its_secret_revoked_or_not(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    let ledger = open().await;
    ledger.add_token("cms", Scope::Publish, "aa", &[], at(1)).await.unwrap();
    let found = ledger.token("aa").await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.scope, found.created_at), ("cms", Scope::Publish, at(1)));
    assert_eq!(found.revoked_at, None);
    assert_eq!(ledger.token("bb").await.unwrap(), None);
    ledger.revoke_token("cms", at(2)).await.unwrap();
    assert_eq!(ledger.token("aa").await.unwrap().unwrap().revoked_at, Some(at(2)));
}

pub async fn a_name_is_taken_for_ever(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    let ledger = open().await;
    ledger.add_token("cms", Scope::Publish, "aa", &[], at(1)).await.unwrap();
    let again = ledger.add_token("cms", Scope::Read, "bb", &[], at(2)).await.unwrap_err();
    assert_eq!(again.kind, StoreErrorKind::Conflict);
    ledger.revoke_token("cms", at(3)).await.unwrap();
    assert_eq!(
        ledger.add_token("cms", Scope::Read, "cc", &[], at(4)).await.unwrap_err().kind,
        StoreErrorKind::Conflict
    );
    assert_eq!(ledger.tokens().await.unwrap().len(), 1);
    assert_eq!(ledger.token("bb").await.unwrap(), None);
}

pub async fn a_secret_is_one_tokens_only(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    let ledger = open().await;
    ledger.add_token("cms", Scope::Publish, "aa", &[], at(1)).await.unwrap();
    assert_eq!(
        ledger.add_token("other", Scope::Read, "aa", &[], at(2)).await.unwrap_err().kind,
        StoreErrorKind::Conflict
    );
    assert_eq!(ledger.token("aa").await.unwrap().unwrap().name, "cms");
}

pub async fn revoking_twice_keeps_the_first_time(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    let ledger = open().await;
    ledger.add_token("cms", Scope::Publish, "aa", &[], at(1)).await.unwrap();
    ledger.revoke_token("cms", at(2)).await.unwrap();
    ledger.revoke_token("cms", at(3)).await.unwrap();
    assert_eq!(ledger.token("aa").await.unwrap().unwrap().revoked_at, Some(at(2)));
}

pub async fn revoking_an_unknown_name_is_not_found(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    let ledger = open().await;
    assert_eq!(ledger.revoke_token("nobody", at(1)).await.unwrap_err().kind, StoreErrorKind::NotFound);
}

pub async fn tokens_are_listed_by_name(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    let ledger = open().await;
    for (name, hash) in [("b", "1"), ("a", "2"), ("c", "3")] {
        ledger.add_token(name, Scope::Read, hash, &[], at(1)).await.unwrap();
    }
    let names: Vec<String> = ledger.tokens().await.unwrap().into_iter().map(|token| token.name).collect();
    assert_eq!(names, ["a", "b", "c"]);
}

pub async fn tokens_survive_a_crash(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    let ledger = open().await;
    ledger.add_token("cms", Scope::Operate, "aa", &[], at(1)).await.unwrap();
    drop(ledger);
    assert_eq!(open().await.token("aa").await.unwrap().unwrap().scope, Scope::Operate);
}

pub async fn the_ledger_answers_a_ping(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    open().await.ping().await.unwrap();
}

fn slug(text: &str) -> PortalSlug {
    PortalSlug::new(text).unwrap()
}

fn portal(of: &str) -> Portal {
    Portal {
        slug: slug(of),
        name: format!("Cổng thông tin xã {of}"),
        url: format!("https://{of}.example/tin-tuc").parse().unwrap(),
        source: format!("https://{of}.example/"),
        tag_authority: format!("{of}.example"),
        tag_date: "2026-07-01".parse().unwrap(),
        area: None,
        added_at: at(1),
        retired_at: None,
    }
}

pub async fn a_token_keeps_the_portals_to_which_it_is_bound(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    let ledger = open().await;
    ledger
        .add_token("cms", Scope::Publish, "aa", &[slug("phi-nhu"), slug("home"), slug("phi-nhu")], at(1))
        .await
        .unwrap();
    ledger.add_token("any", Scope::Publish, "bb", &[], at(1)).await.unwrap();
    let bound = vec![slug("home"), slug("phi-nhu")];
    assert_eq!(ledger.token("aa").await.unwrap().unwrap().portals, bound);
    let listed: Vec<_> = ledger.tokens().await.unwrap().into_iter().map(|token| token.portals).collect();
    assert_eq!(listed, [vec![], bound]);
}

pub async fn portals_are_listed_by_slug_as_they_were_added_and_survive_a_crash(
    open: impl AsyncFn() -> Arc<dyn AccessLedger>,
) {
    let ledger = open().await;
    assert_eq!(ledger.portals().await.unwrap(), []);
    let na_son = Portal { area: Some("na-son-2025".parse().unwrap()), ..portal("na-son") };
    ledger.add_portal(&portal("phi-nhu")).await.unwrap();
    ledger.add_portal(&na_son).await.unwrap();
    drop(ledger);
    assert_eq!(open().await.portals().await.unwrap(), [na_son, portal("phi-nhu")]);
}

pub async fn slug_source_and_tag_are_one_portals_only(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    let ledger = open().await;
    ledger.add_portal(&portal("a")).await.unwrap();
    for other in [
        portal("a"),
        Portal { source: portal("a").source, ..portal("b") },
        Portal { tag_authority: portal("a").tag_authority, ..portal("b") },
    ] {
        assert_eq!(ledger.add_portal(&other).await.unwrap_err().kind, StoreErrorKind::Conflict);
    }
    let another_day =
        Portal { tag_authority: portal("a").tag_authority, tag_date: "2025-01-01".parse().unwrap(), ..portal("b") };
    ledger.add_portal(&another_day).await.unwrap();
    assert_eq!(ledger.portals().await.unwrap(), [portal("a"), another_day]);
}

pub async fn of_many_who_add_one_portal_at_once_one_is_first(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    let ledger = open().await;
    let adding = (0..4).map(|n| {
        let ledger = ledger.clone();
        tokio::spawn(async move { ledger.add_portal(&Portal { name: format!("Cổng {n}"), ..portal("a") }).await })
    });
    let mut added = 0;
    for task in adding.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Ok(()) => added += 1,
            Err(error) => assert_eq!(error.kind, StoreErrorKind::Conflict),
        }
    }
    assert_eq!((added, ledger.portals().await.unwrap().len()), (1, 1));
}

pub async fn a_retired_portal_keeps_its_first_time_and_its_names(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    let ledger = open().await;
    ledger.add_portal(&portal("a")).await.unwrap();
    ledger.retire_portal(&slug("a"), at(2)).await.unwrap();
    ledger.retire_portal(&slug("a"), at(3)).await.unwrap();
    assert_eq!(ledger.portals().await.unwrap(), [Portal { retired_at: Some(at(2)), ..portal("a") }]);
    assert_eq!(ledger.add_portal(&portal("a")).await.unwrap_err().kind, StoreErrorKind::Conflict);
    assert_eq!(ledger.retire_portal(&slug("b"), at(2)).await.unwrap_err().kind, StoreErrorKind::NotFound);
}
