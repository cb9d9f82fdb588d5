//! The suite that every adapter must pass. Each rule is one function, named for what it proves. An
//! adapter's tests write
//!
//! ```text
//! async fn fixture() -> MyFixture { … }
//! loa_bus::bus_conformance_tests!(fixture);
//! ```
//!
//! and get one test per rule. A rule knows the traits only; the [`Fixture`] knows how a broker is
//! made and how a process dies. Rules wait for messages with a deadline, never for a time to pass,
//! except those whose subject is waiting. A broken rule panics.

// a rule is a test: a panic there is its message
#![allow(clippy::unwrap_used)]

mod consuming;
mod fixture;
mod operating;
mod publishing;
mod settling;

pub use consuming::*;
pub use fixture::Fixture;
pub use operating::*;
pub use publishing::*;
pub use settling::*;

/// Makes one test per rule. Takes the path of an `async fn() -> impl Fixture` that makes a fresh, empty broker.
#[macro_export]
macro_rules! bus_conformance_tests {
    ($make:path) => {
        $crate::bus_conformance_rules!($crate::bus_conformance_tests, @each $make);
    };
    (@names; $($rule:ident)*) => { const LISTED: &[&str] = &[$(stringify!($rule)),*]; };
    (@each $make:path; $($rule:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                let fixture = $make().await;
                // a rule that hangs is a broken rule: say which, instead of holding up the whole run
                tokio::time::timeout(std::time::Duration::from_secs(120), $crate::conformance::$rule(&fixture))
                    .await
                    .expect("the rule is decided within two minutes");
            }
        )*
    };
}

/// The list of rules, handed to a macro: the one place where a rule must be entered.
#[macro_export]
#[doc(hidden)]
macro_rules! bus_conformance_rules {
    ($callback:path, $($arguments:tt)*) => {
        $callback! { $($arguments)*;
            // publishing
            a_confirmed_publish_survives_the_death_of_its_process
            a_topic_reaches_every_bound_queue
            a_routing_key_that_no_binding_takes_is_kept_as_unrouted
            a_route_to_one_queue_reaches_that_queue_alone
            headers_content_type_and_id_survive
            a_binary_body_survives
            a_body_of_one_mebibyte_survives
            the_same_message_published_twice_is_delivered_twice
            a_message_that_cannot_be_carried_is_rejected_and_its_neighbours_go_through
            an_empty_batch_is_nothing
            thousands_of_messages_pass_in_bounded_time
            publishers_side_by_side_lose_nothing
            publishing_without_a_topology_is_unroutable
            publishing_after_close_is_unavailable
            // consuming
            what_was_not_settled_comes_back_after_a_crash
            a_dropped_consumer_gives_back_what_it_had_not_settled
            a_closed_consumer_gives_back_what_it_had_not_settled
            a_batch_holds_no_more_than_was_asked_for
            a_batch_is_full_when_its_bodies_are
            the_order_of_publishing_is_kept
            no_more_than_the_prefetch_is_unsettled
            two_consumers_share_a_queue_without_double_delivery
            receive_waits_no_longer_than_asked
            a_waiting_receive_hears_of_a_publish
            a_cancelled_receive_loses_nothing
            a_heartbeat_reaches_every_queue
            a_consumer_that_stops_leaves_the_rest_to_the_next
            consuming_a_missing_queue_is_unroutable
            consuming_after_close_is_unavailable
            // settling
            what_was_acked_never_comes_again
            a_retried_message_comes_again_in_its_place
            a_message_given_back_too_often_becomes_a_dead_letter
            a_message_that_kills_its_consumer_each_time_becomes_a_dead_letter
            what_kills_its_consumer_takes_no_neighbour_along
            a_dead_letter_keeps_its_message_and_says_why
            a_batch_may_be_settled_in_all_three_ways_and_in_any_order
            acking_some_does_not_ack_their_neighbours
            stale_and_unknown_tags_are_harmless
            // operating
            declaring_twice_changes_nothing
            a_missing_topology_is_named
            depth_counts_what_is_ready_and_what_is_dead
            the_longest_queue_is_told
            looking_at_dead_letters_changes_nothing
            dead_letters_come_oldest_first_and_up_to_the_maximum
            a_look_holds_a_bounded_number_of_bytes_and_tells_of_every_letter
            a_redrive_by_key_tells_which_letters_it_came_to
            one_dead_letter_gets_its_second_chance
            all_dead_letters_get_their_second_chance_in_order
            a_redriven_message_that_fails_again_is_dead_again
            discarding_deletes_only_what_was_named
            a_letter_is_named_unambiguously_and_for_as_long_as_it_is_there
            what_no_binding_took_is_listed_with_its_key_and_stays
            what_no_binding_took_reaches_every_queue_under_a_corrected_key
            a_redrive_that_leads_nowhere_moves_nothing
            what_no_binding_took_can_be_discarded
            health_is_up_and_after_close_it_is_not
        }
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_rule_is_on_the_list() {
        crate::bus_conformance_rules!(crate::bus_conformance_tests, @names);
        let written = [
            include_str!("publishing.rs"),
            include_str!("consuming.rs"),
            include_str!("settling.rs"),
            include_str!("operating.rs"),
        ];
        let written: Vec<_> = written
            .iter()
            .flat_map(|text| text.lines())
            .filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next())
            .collect();
        assert_eq!(LISTED, written);
    }
}
