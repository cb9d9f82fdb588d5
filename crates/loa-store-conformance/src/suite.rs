//! How the rules become tests: one test of each rule, and one that proves that they reach every method.

use crate::{
    LedgerPlace,
    recorded::{Calls, Recorded},
};
use async_trait::async_trait;
use loa_store::{
    AccessLedger, DigestLedger, FeedLedger, HubLedger, IntakeLedger, PushLedger, ReceiptLedger, WatchLedger,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

/// Which rules ran, and which methods they called.
#[derive(Debug)]
pub struct Coverage {
    calls: Calls,
    rules: Mutex<BTreeMap<&'static str, Arc<OnceLock<()>>>>,
}

impl Coverage {
    /// Nothing ran yet.
    #[allow(clippy::new_without_default)] // it is made for statics
    pub const fn new() -> Self {
        Self { calls: Calls::new(), rules: Mutex::new(BTreeMap::new()) }
    }

    /// Where calls are remembered.
    pub fn calls(&'static self) -> &'static Calls {
        &self.calls
    }

    /// Runs a rule unless it has passed already; while another thread runs it, waits for that.
    pub fn once(&self, rule: &'static str, run: impl FnOnce()) {
        let passed = self.rules.lock().unwrap_or_else(PoisonError::into_inner).entry(rule).or_default().clone();
        passed.get_or_init(run);
    }

    /// Holds that every method of every door was called.
    pub fn assert_complete(&self) {
        let missing = self.calls.missing();
        assert!(missing.is_empty(), "no rule calls {missing:#?}");
    }
}

/// A place whose ledgers remember what was called.
pub struct RecordedPlace<P> {
    place: P,
    calls: &'static Calls,
}

impl<P> RecordedPlace<P> {
    /// The same place.
    pub fn new(place: P, calls: &'static Calls) -> Self {
        Self { place, calls }
    }
}

#[async_trait]
impl<P: LedgerPlace> LedgerPlace for RecordedPlace<P> {
    async fn access(&self) -> Arc<dyn AccessLedger> {
        Arc::new(Recorded { ledger: self.place.access().await, calls: self.calls })
    }

    async fn intake(&self) -> Arc<dyn IntakeLedger> {
        Arc::new(Recorded { ledger: self.place.intake().await, calls: self.calls })
    }

    async fn feed(&self) -> Arc<dyn FeedLedger> {
        Arc::new(Recorded { ledger: self.place.feed().await, calls: self.calls })
    }

    async fn digest(&self) -> Arc<dyn DigestLedger> {
        Arc::new(Recorded { ledger: self.place.digest().await, calls: self.calls })
    }

    async fn push(&self) -> Arc<dyn PushLedger> {
        Arc::new(Recorded { ledger: self.place.push().await, calls: self.calls })
    }

    async fn hub(&self) -> Arc<dyn HubLedger> {
        Arc::new(Recorded { ledger: self.place.hub().await, calls: self.calls })
    }

    async fn receipts(&self) -> Arc<dyn ReceiptLedger> {
        Arc::new(Recorded { ledger: self.place.receipts().await, calls: self.calls })
    }

    async fn watch(&self) -> Arc<dyn WatchLedger> {
        Arc::new(Recorded { ledger: self.place.watch().await, calls: self.calls })
    }

    async fn rows(&self, ledger: &str) -> BTreeMap<String, i64> {
        self.place.rows(ledger).await
    }
}

/// How many rules a file of the suite has, as written: its list must not leave one out.
pub fn rules_written(suite: &str) -> usize {
    let written = match suite {
        "access" => include_str!("access.rs"),
        "intake" => include_str!("intake.rs"),
        "audit" => include_str!("audit.rs"),
        "feed" => include_str!("feed.rs"),
        "push" => include_str!("push.rs"),
        "hub" => include_str!("hub.rs"),
        "digest" => include_str!("digest.rs"),
        "digest_runs" => include_str!("digest_runs.rs"),
        "digest_upcoming" => include_str!("digest_upcoming.rs"),
        "digest_unconfirmed" => include_str!("digest_unconfirmed.rs"),
        "push_upcoming" => include_str!("push_upcoming.rs"),
        "receipts" => include_str!("receipts.rs"),
        "digest_receipts" => include_str!("digest_receipts.rs"),
        "push_receipts" => include_str!("push_receipts.rs"),
        "watch" => include_str!("watch.rs"),
        _ => panic!("there is no suite {suite:?}"),
    };
    written.matches("\npub async fn ").count()
}

/// Makes one test of each rule. Takes the path of an `async fn() -> impl LedgerPlace`, and how often the properties are tried.
/// With `@side_by_side` in front: only those in which stores share a ledger, and the properties, which drive all ledgers
/// through everything. That is for a second way to the same engine.
#[macro_export]
macro_rules! ledger_conformance_tests {
    ($make:path, $cases:literal) => {
        /// What the rules below have called.
        static COVERAGE: $crate::Coverage = $crate::Coverage::new();

        #[test]
        fn every_method_of_every_door_is_called_by_a_rule() {
            // a rule that ran already, as a test of its own, is not run again
            let suites = [
                access::rules(),
                intake::rules(),
                audit::rules(),
                feed::rules(),
                push::rules(),
                hub::rules(),
                digest::rules(),
                digest_runs::rules(),
                digest_upcoming::rules(),
                digest_unconfirmed::rules(),
                push_upcoming::rules(),
                receipts::rules(),
                digest_receipts::rules(),
                push_receipts::rules(),
                watch::rules(),
            ];
            for rule in suites.concat() {
                rule();
            }
            COVERAGE.assert_complete();
        }

        $crate::ledger_conformance_tests!(@suite access, access, access_rules, $make);
        $crate::ledger_conformance_tests!(@suite intake, intake, intake_rules, $make);
        $crate::ledger_conformance_tests!(@suite audit, intake, audit_rules, $make);
        $crate::ledger_conformance_tests!(@suite feed, feed, feed_rules, $make);
        $crate::ledger_conformance_tests!(@suite push, push, push_rules, $make);
        $crate::ledger_conformance_tests!(@suite hub, hub, hub_rules, $make);
        $crate::ledger_conformance_tests!(@suite digest, digest, digest_rules, $make);
        $crate::ledger_conformance_tests!(@suite digest_runs, digest, digest_run_rules, $make);
        $crate::ledger_conformance_tests!(@suite digest_upcoming, digest, digest_upcoming_rules, $make);
        $crate::ledger_conformance_tests!(@suite digest_unconfirmed, digest, digest_unconfirmed_rules, $make);
        $crate::ledger_conformance_tests!(@suite push_upcoming, push, push_upcoming_rules, $make);
        $crate::ledger_conformance_tests!(@suite receipts, receipts, receipt_rules, $make);
        $crate::ledger_conformance_tests!(@suite digest_receipts, digest, digest_receipt_rules, $make);
        $crate::ledger_conformance_tests!(@suite push_receipts, push, push_receipt_rules, $make);
        $crate::ledger_conformance_tests!(@suite watch, watch, watch_rules, $make);

        mod hub_restore {
            $crate::ledger_conformance_tests!(@of_all hub_restore, $make;
                while_the_push_ledger_is_restored_the_hub_claims_nothing
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
                a_wish_that_nobody_confirmed_costs_no_row_and_leaves_none
                replaced_secrets_and_old_counts_of_confirmations_are_gone
            );
        }

        $crate::ledger_conformance_tests!(@side_by_side $make, $cases);
    };
    (@side_by_side $make:path, $cases:literal) => {
        mod crowd {
            $crate::ledger_conformance_tests!(@of_all crowd, $make;
                writers_queue_and_every_event_is_fresh_exactly_once
                planners_and_senders_share_a_run_without_repeats
                relays_side_by_side_send_each_event_once_and_no_article_twice_at_a_time
                pushers_side_by_side_keep_the_limits_of_each_endpoint_and_article
                the_same_events_accepted_side_by_side_are_owed_once
            );
        }

        mod properties {
            #[test]
            fn any_order_of_the_same_events_ends_in_the_same_feeds() {
                $crate::order::any_order_of_the_same_events_ends_in_the_same_feeds($make, $cases);
            }

            #[test]
            fn any_order_of_the_same_events_ends_in_the_same_digests() {
                $crate::order::any_order_of_the_same_events_ends_in_the_same_digests($make, $cases);
            }

            #[test]
            fn any_order_of_the_same_events_ends_in_the_same_deliveries() {
                $crate::order::any_order_of_the_same_events_ends_in_the_same_deliveries($make, $cases);
            }

            #[test]
            fn every_ledger_decides_as_the_pure_rule_does() {
                $crate::standing::every_ledger_decides_as_the_pure_rule_does($make, $cases);
            }

            #[test]
            fn whatever_happens_everyone_knows_what_stands_once() {
                $crate::story::whatever_happens_everyone_knows_what_stands_once($make, 2 * $cases);
            }
        }
    };
    (@of_all $suite:ident, $make:path; $($rule:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $rule() {
                let place = $make().await;
                $crate::$suite::$rule(&place).await;
            }
        )*
    };
    (@suite $suite:ident, $ledger:ident, $rules:ident, $make:path) => {
        mod $suite {
            macro_rules! rule {
                ($rule:ident) => {
                    #[test]
                    fn $rule() {
                        use $crate::LedgerPlace;
                        super::COVERAGE.once(concat!(stringify!($suite), "::", stringify!($rule)), || {
                            $crate::run(async {
                                let place = $crate::RecordedPlace::new($make().await, super::COVERAGE.calls());
                                $crate::$suite::$rule(async || place.$ledger().await).await;
                            });
                        });
                    }
                };
            }
            $crate::$rules!(rule);

            pub(super) fn rules() -> Vec<fn()> {
                let mut rules: Vec<fn()> = Vec::new();
                macro_rules! list {
                    ($rule:ident) => {
                        rules.push($rule);
                    };
                }
                $crate::$rules!(list);
                rules
            }

            #[test]
            fn no_rule_is_left_out() {
                let mut listed = 0;
                macro_rules! count {
                    ($rule:ident) => {
                        listed += 1;
                    };
                }
                $crate::$rules!(count);
                assert_eq!($crate::rules_written(stringify!($suite)), listed);
            }
        }
    };
}
