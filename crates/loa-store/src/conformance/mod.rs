//! The suite every adapter must pass: one function for each rule of the doors, named for the rule.
//!
//! A rule is handed a way to *open* the ledger: every call gives a new store on the same, at first empty, place. Dropping
//! a store without closing it and opening another is what a crash looks like from here; two open stores are two processes.
//! Time is handed in by the rules, never read. An adapter says what an empty [`Place`] is and makes one test of each rule
//! with [`ledger_conformance_tests`](crate::ledger_conformance_tests).
#![allow(clippy::unwrap_used, missing_docs)] // a rule that panics has said which rule was broken

pub mod access;
pub mod build;
pub mod crowd;
pub mod digest;
pub mod digest_receipts;
pub mod digest_runs;
pub mod feed;
pub mod hub;
pub mod intake;
pub mod leftovers;
pub mod order;
pub mod push;
pub mod push_receipts;
pub mod receipts;
pub mod story;

use crate::{AccessLedger, DigestLedger, FeedLedger, IntakeLedger, PushLedger, ReceiptLedger};
use async_trait::async_trait;
use std::{collections::BTreeMap, sync::Arc};

/// A place of a test's own, at first empty. Each call opens another store on it, as another process would.
#[async_trait]
pub trait Place: Send + Sync {
    async fn access(&self) -> Arc<dyn AccessLedger>;
    async fn intake(&self) -> Arc<dyn IntakeLedger>;
    async fn feed(&self) -> Arc<dyn FeedLedger>;
    async fn digest(&self) -> Arc<dyn DigestLedger>;
    async fn push(&self) -> Arc<dyn PushLedger>;
    async fn receipts(&self) -> Arc<dyn ReceiptLedger>;

    /// How many rows each table of a ledger has, looked at from outside.
    async fn rows(&self, ledger: &str) -> BTreeMap<String, i64>;
}

/// Runs a case of a property to its end.
fn run<T>(case: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(case)
}

/// How many rules a file of the suite has, as written: its list must not leave one out.
pub fn rules_written(suite: &str) -> usize {
    let written = match suite {
        "access" => include_str!("access.rs"),
        "intake" => include_str!("intake.rs"),
        "feed" => include_str!("feed.rs"),
        "push" => include_str!("push.rs"),
        "hub" => include_str!("hub.rs"),
        "digest" => include_str!("digest.rs"),
        "digest_runs" => include_str!("digest_runs.rs"),
        "receipts" => include_str!("receipts.rs"),
        "digest_receipts" => include_str!("digest_receipts.rs"),
        "push_receipts" => include_str!("push_receipts.rs"),
        _ => panic!("there is no suite {suite:?}"),
    };
    written.matches("\npub async fn ").count()
}

/// Makes one test of each rule. Takes the path of an `async fn() -> impl Place`, and how often the properties are tried.
#[macro_export]
macro_rules! ledger_conformance_tests {
    ($make:path, $cases:literal) => {
        $crate::ledger_conformance_tests!(@suite access, access, access_rules, $make);
        $crate::ledger_conformance_tests!(@suite intake, intake, intake_rules, $make);
        $crate::ledger_conformance_tests!(@suite feed, feed, feed_rules, $make);
        $crate::ledger_conformance_tests!(@suite push, push, push_rules, $make);
        $crate::ledger_conformance_tests!(@suite hub, push, hub_rules, $make);
        $crate::ledger_conformance_tests!(@suite digest, digest, digest_rules, $make);
        $crate::ledger_conformance_tests!(@suite digest_runs, digest, digest_run_rules, $make);
        $crate::ledger_conformance_tests!(@suite receipts, receipts, receipt_rules, $make);
        $crate::ledger_conformance_tests!(@suite digest_receipts, digest, digest_receipt_rules, $make);
        $crate::ledger_conformance_tests!(@suite push_receipts, push, push_receipt_rules, $make);

        mod crowd {
            $crate::ledger_conformance_tests!(@of_all crowd, $make;
                writers_queue_and_every_event_is_fresh_exactly_once
                planners_and_senders_share_a_run_without_repeats
                relays_side_by_side_send_each_event_once_and_no_article_twice_at_a_time
                pushers_side_by_side_keep_the_limits_of_each_endpoint_and_article
                the_same_events_accepted_side_by_side_are_owed_once
            );
        }

        mod leftovers {
            $crate::ledger_conformance_tests!(@of_all leftovers, $make;
                a_repeat_leaves_every_table_as_it_was
                a_refused_batch_leaves_nothing
                a_confirmed_event_leaves_the_outbox_and_stays_in_the_archive
                an_edited_article_stands_nowhere_it_does_not_belong_any_more
                a_wish_that_nobody_has_any_more_is_gone_with_all_it_matched
                who_leaves_is_owed_nothing_any_more
                replaced_secrets_and_old_counts_of_confirmations_are_gone
            );
        }

        mod properties {
            #[test]
            fn any_order_of_the_same_events_ends_in_the_same_feeds() {
                $crate::conformance::order::any_order_of_the_same_events_ends_in_the_same_feeds($make, $cases);
            }

            #[test]
            fn any_order_of_the_same_events_ends_in_the_same_digests() {
                $crate::conformance::order::any_order_of_the_same_events_ends_in_the_same_digests($make, $cases);
            }

            #[test]
            fn any_order_of_the_same_events_ends_in_the_same_deliveries() {
                $crate::conformance::order::any_order_of_the_same_events_ends_in_the_same_deliveries($make, $cases);
            }

            #[test]
            fn whatever_happens_everyone_knows_what_stands_once() {
                $crate::conformance::story::whatever_happens_everyone_knows_what_stands_once($make, 2 * $cases);
            }
        }
    };
    (@of_all $suite:ident, $make:path; $($rule:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $rule() {
                let place = $make().await;
                $crate::conformance::$suite::$rule(&place).await;
            }
        )*
    };
    (@suite $suite:ident, $ledger:ident, $rules:ident, $make:path) => {
        mod $suite {
            macro_rules! rule {
                ($rule:ident) => {
                    #[tokio::test]
                    async fn $rule() {
                        use $crate::conformance::Place;
                        let place = $make().await;
                        $crate::conformance::$suite::$rule(async || place.$ledger().await).await;
                    }
                };
            }
            $crate::$rules!(rule);

            #[test]
            fn no_rule_is_left_out() {
                let mut listed = 0;
                macro_rules! count {
                    ($rule:ident) => {
                        listed += 1;
                    };
                }
                $crate::$rules!(count);
                assert_eq!($crate::conformance::rules_written(stringify!($suite)), listed);
            }
        }
    };
}

#[cfg(test)]
mod tests {
    /// The methods of a door, as written.
    fn methods(door: &str) -> Vec<&str> {
        let lines = door.lines().filter_map(|line| line.strip_prefix("    async fn "));
        lines.map(|rest| rest.split(['(', '<']).next().unwrap()).collect()
    }

    #[test]
    fn every_method_of_every_ledger_is_used_by_a_rule() {
        let doors = [
            (include_str!("../access.rs"), include_str!("access.rs").to_owned()),
            (include_str!("../intake.rs"), include_str!("intake.rs").to_owned()),
            (include_str!("../feed.rs"), include_str!("feed.rs").to_owned()),
            (include_str!("../push.rs"), include_str!("push.rs").to_owned() + include_str!("push_receipts.rs")),
            (include_str!("../hub.rs"), include_str!("hub.rs").to_owned()),
            (
                include_str!("../digest.rs"),
                include_str!("digest.rs").to_owned()
                    + include_str!("digest_runs.rs")
                    + include_str!("digest_receipts.rs"),
            ),
            (include_str!("../receipt.rs"), include_str!("receipts.rs").to_owned()),
        ];
        for (door, rules) in doors {
            let methods = methods(door);
            assert!(methods.len() >= 5, "{methods:?}");
            for method in methods {
                assert!(rules.contains(&format!(".{method}(")), "no rule calls {method}");
            }
        }
    }
}
