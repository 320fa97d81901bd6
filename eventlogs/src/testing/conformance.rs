//! Conformance suites: the promises of stores and caches, as tests.
//!
//! Every store and cache of this crate passes these suites, the fakes included. To run a suite on your own store or cache, name
//! a module and give an expression for a fresh one; each promise becomes one `#[tokio::test]`:
//!
//! ```
//! use eventlogs::stores::fake::FakeEventStore;
//!
//! eventlogs::testing::event_store_conformance!(my_store, async { FakeEventStore::encoding() });
//! # fn main() {}
//! ```
//!
//! If the subject is not always available, for example without a server, put `optional:` before the expression and let it
//! return an `Option`. With `None` the tests pass without doing anything.
//!
//! The functions panic if a promise is broken, as tests do.
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::too_many_lines,
    reason = "every public function is a test, and a broken promise panics"
)]

pub mod cache;
pub mod decoding;
mod events;
pub mod feed;
pub mod store;
pub mod subscriptions;

pub use crate::__example::{Counter, CounterEvent};
pub use events::{AlienCodec, AlienEvent, FormerEvent, StrangeEvent, UnrelatedEvent};

/// Makes one test per promise in [`conformance::store`](crate::testing::conformance::store); every store keeps these.
///
/// Takes a name for the module of the tests and an expression for a future that returns a fresh
/// [`EventStore<CounterEvent>`](crate::testing::conformance::CounterEvent). No other test may use this store at the same time,
/// since some of the tests delete all its idempotency keys. The calling crate needs `tokio` with its macros.
#[doc(hidden)]
#[macro_export]
macro_rules! __event_store_conformance {
    ($name:ident, $store:expr) => {
        $crate::testing::event_store_conformance!($name, optional: async { Some($store.await) });
    };
    ($name:ident, optional: $store:expr) => {
        $crate::__conformance_tests! { $name, $store, store:
            indices_are_dense_from_zero
            a_log_is_created_only_once
            an_append_needs_its_predecessor
            an_append_behind_another_event_at_the_same_index_is_refused
            of_many_appends_at_one_index_exactly_one_wins
            a_batch_lands_whole_or_not_at_all
            a_retry_with_the_same_key_is_a_replay
            a_retry_with_the_same_key_on_a_newer_state_is_a_replay
            twin_creates_with_one_key_make_one_log
            a_key_used_on_another_log_reports_that_log
            a_refused_append_does_not_use_up_its_key
            sending_the_same_request_again_gives_the_same_answer
            a_repeated_request_is_known_by_all_its_events
            writes_that_share_their_ids_are_not_mistaken
            an_id_that_is_used_twice_marks_two_places
            every_event_needs_one_id
            what_an_append_returns_is_what_a_read_returns
            pages_join_without_gap_or_overlap
            a_page_behind_a_lost_event_is_refused
            a_log_that_does_not_exist_is_an_empty_page
            a_fold_gets_what_pages_have
            a_fold_without_records_gets_the_events
            a_fold_without_positions_gets_the_last_one
            a_fold_that_stops_can_go_on
            a_fold_after_a_lost_event_is_refused
            several_folds_get_their_own_events
            the_newest_events_go_on_with_a_fold
            many_folds_at_once_get_their_own_events
            logs_do_not_touch_each_other
            text_and_large_payloads_survive
            pages_of_large_events_join_without_gap_or_overlap
            the_recorded_time_never_falls
            what_exceeds_a_limit_changes_nothing
            a_dropped_append_harms_nobody
            an_append_whose_time_is_over_says_whether_it_is_stored
            several_logs_change_together
            where_one_of_several_logs_cannot_change_none_does
            logs_can_begin_beside_others_that_go_on
            one_key_for_several_logs_is_a_replay_of_all
            of_many_attempts_with_one_key_for_several_logs_one_writes
            what_no_append_to_several_logs_may_hold_changes_nothing
            of_two_appends_to_the_same_logs_exactly_one_wins
            appends_to_several_logs_and_to_single_ones_never_mix
            a_dropped_append_to_several_logs_leaves_no_half
            a_write_happens_if_what_it_requires_holds
            where_a_requirement_does_not_hold_nothing_is_written
            a_required_log_must_be_of_its_kind
            a_log_is_either_written_to_or_required
            a_used_key_comes_before_a_requirement
            of_writers_that_require_each_others_log_one_writes
            of_writers_that_require_each_others_absence_one_writes
            of_writers_that_require_one_log_all_write
            writes_that_share_logs_depend_on_what_they_build_on
            a_refused_write_leaves_the_logs_that_it_required_to_others
            the_observers_of_all_parts_are_called
            the_ends_of_logs_are_those_that_a_read_finds
            a_key_of_one_log_means_nothing_on_another
            a_key_of_all_logs_and_the_same_of_one_are_two
            a_key_of_the_log_without_an_id_is_not_one_of_all_logs
            what_the_request_was_is_kept_with_its_key
            keys_are_compared_byte_for_byte
            keys_of_every_allowed_length_work
            metadata_stands_beside_each_event
            metadata_stands_beside_the_events_of_several_logs
            too_much_metadata_changes_nothing
            times_come_back_as_they_were_given
            times_are_kept_in_microseconds
            a_time_beyond_the_range_changes_nothing
            a_list_has_every_log_once
            the_newest_change_comes_first
            a_listed_state_can_be_appended_to
            a_list_goes_on_after_a_cursor_that_was_a_text
            a_list_by_id_shows_each_log_as_it_is
            a_list_by_newest_change_shows_the_logs_as_they_were
            a_list_has_the_logs_of_one_kind
            a_page_by_id_looks_at_a_fixed_number_of_logs
            a_page_by_newest_change_looks_at_a_fixed_number_of_events
            a_pruned_key_is_forgotten_and_its_events_stay
            the_key_of_several_logs_is_pruned_whole
            young_keys_are_not_pruned
            what_is_queued_is_what_a_read_returns
            a_refused_append_is_settled_as_not_stored
            a_chain_is_stored_whole
            chains_on_many_logs_are_stored_side_by_side
            a_chain_whose_head_is_refused_is_refused_whole
            a_used_key_in_a_chain_is_a_replay_and_ends_it
            a_key_used_twice_in_a_chain_is_used_once
            a_dropped_link_harms_no_other_log
            an_error_says_what_to_do_next
            an_append_after_its_deadline_can_be_tried_again_with_another
        }
    };
}

/// Makes one test per promise in [`conformance::feed`](crate::testing::conformance::feed); every store with a feed keeps these.
///
/// Takes the arguments of [`event_store_conformance!`](crate::testing::event_store_conformance). The store must also be an
/// [`EventFeed`](crate::EventFeed), and each test needs one without events.
#[doc(hidden)]
#[macro_export]
macro_rules! __event_feed_conformance {
    ($name:ident, $store:expr) => {
        $crate::testing::event_feed_conformance!($name, optional: async { Some($store.await) });
    };
    ($name:ident, optional: $store:expr) => {
        $crate::__conformance_tests! { $name, $store, feed:
            an_empty_store_has_an_empty_feed
            every_event_comes_once_and_in_the_order_of_its_log
            what_the_feed_has_is_what_a_read_returns
            a_feed_of_several_enums_decodes_each_as_its_own
            a_wait_ends_when_there_are_events
            a_part_of_a_log_can_be_read_for_the_feed
            a_feed_resumes_after_any_event
            a_cursor_of_an_event_that_never_existed_is_refused
            the_place_of_an_event_is_its_cursor
            the_end_of_the_feed_is_the_last_event
            a_page_has_a_bounded_number_of_events
            a_page_has_a_bounded_number_of_bytes
            events_of_other_enums_move_the_cursor
            ignored_events_come_without_payload
            old_versions_and_unknown_events_come_with_payload
            partitions_add_up
            a_page_that_leaves_out_events_moves_the_cursor
            refused_appends_leave_nothing
            nothing_is_skipped_while_many_write
        }
    };
}

/// Makes one test per promise in [`conformance::subscriptions`](crate::testing::conformance::subscriptions); every store that
/// keeps checkpoints keeps these.
///
/// Takes the arguments of [`event_store_conformance!`](crate::testing::event_store_conformance). The store must also be a
/// [`ProjectionStore<Elsewhere>`](crate::projection::ProjectionStore), and each test needs one without subscriptions.
#[doc(hidden)]
#[macro_export]
macro_rules! __subscriptions_conformance {
    ($name:ident, $store:expr) => {
        $crate::testing::subscriptions_conformance!($name, optional: async { Some($store.await) });
    };
    ($name:ident, optional: $store:expr) => {
        $crate::__conformance_tests! { $name, $store, subscriptions:
            each_event_is_handled_once_and_in_the_order_of_its_log
            a_new_subscription_begins_where_it_is_told
            a_subscription_goes_on_at_its_checkpoint
            partitions_handle_each_event_once
            events_without_a_handler_are_passed_over
            a_wait_ends_when_the_event_is_settled
            a_wait_for_an_event_without_handler_ends
            a_wait_for_a_subscription_of_another_process_ends
            a_wait_ends_in_time
            a_wait_for_a_stopped_subscription_ends
            a_wait_for_what_does_not_exist_is_an_error
            all_catch_up_with_what_was_committed
            all_catch_up_in_whatever_process
            who_does_not_catch_up_is_named
            of_two_processes_only_one_handles_an_event
            a_shutdown_releases_the_leases
            a_process_that_has_died_is_replaced
            a_handle_that_is_dropped_ends_its_subscriptions
            a_shutdown_waits_for_the_handler_that_runs
            a_lease_belongs_to_one_process
            a_process_that_lost_its_lease_changes_nothing
            a_step_renews_the_lease
            a_checkpoint_moves_only_from_its_place
            a_step_that_is_rolled_back_has_not_happened
            a_subscription_that_rests_has_no_lease
            a_process_with_another_number_of_partitions_gets_no_lease
            a_paused_subscription_handles_nothing
            a_pause_holds_in_all_processes
            a_pause_of_an_unknown_subscription_is_an_error
            an_event_whose_handler_fails_parks_its_log
            an_event_whose_handler_panics_parks_its_log
            an_event_whose_handler_hangs_parks_its_log
            an_event_that_cannot_be_decoded_parks_its_log
            a_skipped_event_is_never_applied
            a_retry_that_fails_again_leaves_the_log_parked
            a_parked_log_stays_parked_over_a_restart
            another_process_frees_a_parked_log
            a_wait_for_a_parked_log_ends
            many_events_of_a_parked_log_are_applied_in_order
            a_subscription_stops_at_its_limit_of_parked_logs
            a_parked_log_survives_another_number_of_partitions
            what_is_not_parked_cannot_be_freed
            a_process_that_lost_its_lease_parks_nothing
            an_error_that_passes_is_waited_for
            a_stop_holds_in_all_processes
            a_start_lets_a_stopped_subscription_try_again
            two_subscriptions_need_two_names
            changed_code_is_noticed
            events_that_older_code_passed_over_are_missed
            what_cannot_run_is_refused
            the_number_of_partitions_changes_at_a_common_place
            the_status_says_how_far_a_subscription_is
            a_loop_turns_without_events
        }
    };
}

/// Makes one test per promise in [`conformance::decoding`](crate::testing::conformance::decoding); every store that encodes its
/// events keeps these.
///
/// Takes the arguments of [`event_store_conformance!`](crate::testing::event_store_conformance). The store must also keep
/// `StrangeEvent` and `AlienEvent`.
#[doc(hidden)]
#[macro_export]
macro_rules! __decoding_conformance {
    ($name:ident, $store:expr) => {
        $crate::testing::decoding_conformance!($name, optional: async { Some($store.await) });
    };
    ($name:ident, optional: $store:expr) => {
        $crate::__conformance_tests! { $name, $store, decoding:
            an_unknown_event_is_an_error_that_names_it
            a_newer_version_is_an_error_that_names_it
            an_unknown_codec_is_an_error
            a_payload_of_another_shape_is_an_error
            an_event_that_cannot_be_encoded_is_refused
            an_event_that_could_not_be_read_back_is_refused
            an_event_that_would_come_back_as_another_is_refused
            numbers_come_back_bit_for_bit
            a_payload_above_the_limit_is_refused
            a_page_in_front_of_the_bad_event_can_be_read
        }
    };
}

/// Makes one test per promise in [`conformance::cache`](crate::testing::conformance::cache).
///
/// Takes a name for the module of the tests and an expression for a future that returns a fresh
/// [`AggregationCache<Counter>`](crate::testing::conformance::Counter). The calling crate needs `tokio` with its macros.
#[doc(hidden)]
#[macro_export]
macro_rules! __aggregation_cache_conformance {
    ($name:ident, $cache:expr) => {
        $crate::testing::aggregation_cache_conformance!($name, optional: async { Some($cache.await) });
    };
    ($name:ident, optional: $cache:expr) => {
        $crate::__conformance_tests! { $name, $cache, cache:
            an_empty_cache_has_nothing
            what_was_put_comes_back
            a_further_reduction_replaces_an_entry
            an_older_reduction_does_not_replace_an_entry
            another_history_at_the_same_index_replaces_an_entry
            only_the_entry_of_the_named_event_is_removed
            a_forgotten_log_is_gone_until_it_is_put_again
            an_entry_ends_with_its_ttl
            an_expired_entry_gives_way_to_an_older_reduction
            logs_do_not_touch_each_other
            of_many_puts_the_furthest_stays
        }
    };
}

/// Makes one `#[tokio::test]` per promise.
#[macro_export]
#[doc(hidden)]
macro_rules! __conformance_tests {
    ($name:ident, $subject:expr, $suite:ident: $($case:ident)*) => {
        mod $name {
            #[allow(unused_imports, reason = "the expression may name everything by its full path")]
            use super::*;

            $(
                #[tokio::test]
                async fn $case() {
                    let Some(subject) = $subject.await else {
                        return;
                    };
                    $crate::testing::conformance::$suite::$case(&subject).await;
                }
            )*
        }
    };
}
