//! What every adapter does, told once and run on all of them: tokio on one
//! thread and on several, async-std, smol and plain threads.
//!
//! A scenario is a plain function. It sees an adapter's own client through
//! [`adapters::Adapter`], whose methods wait, so that it reads the same for
//! futures and for threads; futures are run by the adapter's runtime.

mod adapters;
mod alone;
mod scenarios;
mod stage;

use adapters::{AsyncStd, Blocking, Smol, TokioOneThread, TokioThreads};
use scenarios::{
    calls, faults, files, history, leaving, login, losses, messages, peers, plain, vanish,
};
use stage::Transport;

/// Tests of one adapter over one transport, named after their scenarios.
macro_rules! tests {
    ($adapter:ident, $transport:ident, $($area:ident::$name:ident)*) => {
        $(
            #[test]
            fn $name() {
                crate::stage::within_limit(|| {
                    crate::$area::$name::<crate::$adapter>(crate::Transport::$transport);
                });
            }
        )*
    };
}

/// What may differ from transport to transport.
macro_rules! on_each_transport {
    ($adapter:ident, $transport:ident) => {
        tests! {
            $adapter, $transport,
            login::dispatch_names_the_gate
            login::a_known_gate_needs_no_dispatch
            login::redirects_keep_the_transport
            login::a_refused_token_is_final
            login::a_closed_client_logs_in_again
            messages::text_of_every_kind_arrives
            messages::broadcasts_of_every_kind_arrive
            messages::bytes_arrive_unchanged
            messages::pushes_keep_their_order_and_are_answered
            files::a_file_reaches_users_groups_and_rooms
            losses::rooms_are_restored
            losses::a_restart_of_the_server_is_survived
            leaving::kickout_is_final
            leaving::logout_ends_pending_calls
            leaving::the_last_handle_logs_out
            calls::a_thousand_calls_at_once_get_their_own_answers
            calls::a_call_without_answer_times_out_alone
            history::all_of_a_conversation_is_read_in_both_directions
            faults::a_peer_that_sends_byte_by_byte_is_understood
            faults::a_reset_inside_a_package_leads_nothing_astray
            faults::packages_are_received_up_to_the_limit
            faults::packages_are_sent_up_to_the_limit
            faults::answers_flow_while_messages_flood_a_slow_consumer
            peers::a_peer_that_does_not_read_is_still_heard
            plain::any_fpnn_service_is_reached_without_login
        }
    };
}

/// What has nothing to do with the transport.
macro_rules! on_one_transport {
    ($adapter:ident) => {
        tests! {
            $adapter, Ws,
            login::endless_redirects_end
            login::a_fresh_token_continues_the_login
            login::a_provider_of_tokens_continues_the_login
            login::an_aborted_client_never_logs_in_again
            login::a_name_that_does_not_resolve_is_told
            login::a_server_that_comes_back_is_found
            login::many_logins_at_once_are_one
            files::a_broken_file_connection_leaves_the_session_alone
            losses::a_lost_connection_ends_pending_calls
            losses::a_half_open_connection_is_given_up
            losses::a_message_whose_answer_was_lost_arrives_once
            leaving::calls_after_logout_fail_at_once
            leaving::the_last_handle_may_go_where_tokens_come_from
            leaving::abort_ends_everything_at_once
            calls::the_answer_of_a_call_that_timed_out_is_ignored
            calls::an_error_of_the_server_is_told
            history::a_page_that_failed_is_asked_for_again
            calls::a_call_may_wait_for_the_session
            calls::calls_without_session_fail_at_once
            peers::a_slow_consumer_learns_how_much_it_missed
            peers::too_much_for_a_peer_that_does_not_read_is_refused
        }
    };
}

macro_rules! adapter {
    ($name:ident, $adapter:ident) => {
        mod $name {
            mod tcp {
                on_each_transport! { $adapter, Tcp }
            }
            mod ws {
                on_each_transport! { $adapter, Ws }
                on_one_transport! { $adapter }
            }
            mod wss {
                on_each_transport! { $adapter, Wss }
                tests! {
                    $adapter, Wss,
                    login::a_certificate_of_somebody_else_is_refused
                }
            }
            mod leaks {
                use crate::scenarios::leaks;

                #[test]
                fn logging_in_and_out_leaves_nothing_behind() {
                    leaks::logging_in_and_out_leaves_nothing_behind::<crate::$adapter>(concat!(
                        stringify!($name),
                        "::leaks::logging_in_and_out_leaves_nothing_behind"
                    ));
                }
            }
        }
    };
}

/// Futures can be dropped half-way; a blocking call cannot.
macro_rules! dropped_futures {
    ($name:ident, $adapter:ident) => {
        mod $name {
            tests! {
                $adapter, Ws,
                vanish::dropped_calls_leave_nothing_in_flight
                vanish::a_call_that_was_never_polled_sends_nothing
                vanish::a_dropped_login_goes_on
            }
        }
    };
}

adapter! { tokio_current_thread, TokioOneThread }
adapter! { tokio_multi_thread, TokioThreads }
adapter! { async_std, AsyncStd }
adapter! { smol, Smol }
adapter! { blocking, Blocking }

mod dropped {
    dropped_futures! { tokio_current_thread, TokioOneThread }
    dropped_futures! { tokio_multi_thread, TokioThreads }
    dropped_futures! { async_std, AsyncStd }
    dropped_futures! { smol, Smol }
}
