//! Runs every rule of `loa-store`'s suite against SQLite, each as a test of its own, on a file of its own.
#![allow(clippy::unwrap_used)] // a panic is the failure message

use loa_store::{AccessLedger, DigestLedger, FeedLedger, IntakeLedger, PushLedger};
use loa_store_sql::{AccessStore, DigestStore, FeedStore, IntakeStore, PushStore};
use std::sync::Arc;

/// Makes a module with one test for each rule of a list.
macro_rules! conform {
    ($module:ident, $rules:ident, $suite:ident, $ledger:ident, $store:ident) => {
        mod $module {
            use super::*;

            macro_rules! rule {
                ($rule:ident) => {
                    #[tokio::test]
                    async fn $rule() {
                        let folder = tempfile::tempdir().unwrap();
                        let path = folder.path().join("ledger.db");
                        loa_store::conformance::$suite::$rule(async || {
                            Arc::new($store::open(&path).await.unwrap()) as Arc<dyn $ledger>
                        })
                        .await;
                    }
                };
            }
            loa_store::$rules!(rule);

            #[test]
            fn no_rule_is_left_out() {
                let written = include_str!(concat!("../../loa-store/src/conformance/", stringify!($suite), ".rs"));
                let rules = written.matches("\npub async fn ").count();
                let mut listed = 0;
                macro_rules! count {
                    ($rule:ident) => {
                        listed += 1;
                    };
                }
                loa_store::$rules!(count);
                assert_eq!(rules, listed);
            }
        }
    };
}

conform!(access, access_rules, access, AccessLedger, AccessStore);
conform!(intake, intake_rules, intake, IntakeLedger, IntakeStore);
conform!(feed, feed_rules, feed, FeedLedger, FeedStore);
conform!(push, push_rules, push, PushLedger, PushStore);
conform!(digest, digest_rules, digest, DigestLedger, DigestStore);
conform!(digest_runs, digest_run_rules, digest_runs, DigestLedger, DigestStore);
