//! Services that are not RTM.

use std::time::Duration;

use rtm_proto::api::{Caller, Custom};
use rtm_proto::error::ErrorCode;
use rtm_proto::{Backoff, RequestOptions};

use crate::adapters::Adapter;
use crate::stage::{Stage, Transport};

pub(crate) fn any_fpnn_service_is_reached_without_login<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let options = stage.trusting(A::fpnn(&stage.endpoint()));
    let pause = Backoff::fixed(Duration::from_millis(10));
    let options = options.auto_reconnect(true).backoff(pause);
    let client = stage.try_login(options).unwrap();
    assert!(client.state().is_online());
    assert_eq!(client.echo("text").unwrap(), "text".into());
    let error = client.call(Custom::new("getuserrooms")).unwrap_err();
    assert_eq!(error.code(), ErrorCode(200_022), "nobody is logged in");

    stage.gate.restart().unwrap();
    client.until(|state| !state.is_online());
    let patient = client.with_options(RequestOptions::default().wait_online(true));
    assert_eq!(patient.echo(2).unwrap(), 2.into());
    assert_eq!(stage.gate.seen().count("auth"), 0);
}
