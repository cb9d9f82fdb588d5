//! Rules of the access ledger.

use crate::build::at;
use loa_domain::Scope;
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
    };
}

pub async fn a_token_is_found_by_the_hash_of_its_secret_revoked_or_not(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    let ledger = open().await;
    ledger.add_token("cms", Scope::Publish, "aa", at(1)).await.unwrap();
    let found = ledger.token("aa").await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.scope, found.created_at), ("cms", Scope::Publish, at(1)));
    assert_eq!(found.revoked_at, None);
    assert_eq!(ledger.token("bb").await.unwrap(), None);
    ledger.revoke_token("cms", at(2)).await.unwrap();
    assert_eq!(ledger.token("aa").await.unwrap().unwrap().revoked_at, Some(at(2)));
}

pub async fn a_name_is_taken_for_ever(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    let ledger = open().await;
    ledger.add_token("cms", Scope::Publish, "aa", at(1)).await.unwrap();
    let again = ledger.add_token("cms", Scope::Read, "bb", at(2)).await.unwrap_err();
    assert_eq!(again.kind, StoreErrorKind::Conflict);
    ledger.revoke_token("cms", at(3)).await.unwrap();
    assert_eq!(ledger.add_token("cms", Scope::Read, "cc", at(4)).await.unwrap_err().kind, StoreErrorKind::Conflict);
    assert_eq!(ledger.tokens().await.unwrap().len(), 1);
    assert_eq!(ledger.token("bb").await.unwrap(), None);
}

pub async fn a_secret_is_one_tokens_only(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    let ledger = open().await;
    ledger.add_token("cms", Scope::Publish, "aa", at(1)).await.unwrap();
    assert_eq!(ledger.add_token("other", Scope::Read, "aa", at(2)).await.unwrap_err().kind, StoreErrorKind::Conflict);
    assert_eq!(ledger.token("aa").await.unwrap().unwrap().name, "cms");
}

pub async fn revoking_twice_keeps_the_first_time(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    let ledger = open().await;
    ledger.add_token("cms", Scope::Publish, "aa", at(1)).await.unwrap();
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
        ledger.add_token(name, Scope::Read, hash, at(1)).await.unwrap();
    }
    let names: Vec<String> = ledger.tokens().await.unwrap().into_iter().map(|token| token.name).collect();
    assert_eq!(names, ["a", "b", "c"]);
}

pub async fn tokens_survive_a_crash(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    let ledger = open().await;
    ledger.add_token("cms", Scope::Operate, "aa", at(1)).await.unwrap();
    drop(ledger);
    assert_eq!(open().await.token("aa").await.unwrap().unwrap().scope, Scope::Operate);
}

pub async fn the_ledger_answers_a_ping(open: impl AsyncFn() -> Arc<dyn AccessLedger>) {
    open().await.ping().await.unwrap();
}
