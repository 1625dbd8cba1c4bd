//! What is refused, most of it before anything is sent.

use super::*;

#[test]
fn types_and_sizes_are_checked_before_anything_is_sent() {
    let mut world = world(vec![vec![taken()]]);
    let refused = |world: &mut World, request: &SendFile| {
        let options = RequestOptions::default();
        let error = world.try_call(request, options).unwrap_err();
        assert!(
            matches!(error.kind(), RequestErrorKind::Invalid { .. }),
            "{error}"
        );
        assert_eq!(error.method(), "sendfile");
        assert!(error.message_id().is_some());
        error.code()
    };
    for kind in [0, 39, 51, 255] {
        let request = SendFile::new(UserId(5), MessageType(kind), &b"x"[..]);
        assert_eq!(refused(&mut world, &request), ErrorCode::INVALID_FILE_MTYPE);
    }
    let large = refused(&mut world, &file_of((5 << 20) + 1));
    assert_eq!(large, ErrorCode::LARGE_FILE_OR_ATTRS);
    let unheard = refused(&mut world, &file().attrs("mine"));
    assert_eq!(unheard, ErrorCode::INVALID_PARAMETER);
    world.run_for(secs(1));
    assert_eq!(world.log.methods("gate"), ["auth"]);
    for kind in [40, 50] {
        let request = SendFile::new(UserId(5), MessageType(kind), vec![0; 5 << 20]);
        let call = world.call(&request);
        world.run_for(ms(0));
        assert_eq!(world.log.end_of(call), Ok(()));
    }
}

#[test]
fn without_checks_the_service_decides_about_type_and_size() {
    let settings = config().check_arguments(false);
    let mut world = world_of(settings, files(vec![vec![Act::Error(200_007, "mtype")]]));
    let content = vec![0; (5 << 20) + 1];
    let call = world.call(&SendFile::new(UserId(5), MessageType(30), content));
    world.run_for(ms(0));
    match world.log.end_of(call) {
        Err(RequestErrorKind::Server { code, .. }) => {
            assert_eq!(code, ErrorCode::INVALID_FILE_MTYPE);
        }
        other => panic!("{other:?}"),
    }
    assert_only_the_session_is_left(&mut world);
}

#[test]
fn a_package_above_the_limit_never_leaves() {
    let settings = config().check_arguments(false).max_package(1000);
    let mut world = world_of(settings, files(vec![vec![taken()]]));
    let options = RequestOptions::default();
    let error = world.try_call(&file_of(1000), options).unwrap_err();
    let too_large = |kind: &RequestErrorKind| match kind {
        RequestErrorKind::Encode(error) => error.kind() == CodecErrorKind::TooLarge,
        _ => false,
    };
    assert!(too_large(error.kind()), "{error}");
    assert_eq!(
        world.log.methods("gate"),
        ["auth"],
        "not even a token is asked for"
    );

    // The file fits, but not with what surrounds it, which is known late.
    let call = world.call(&file_of(900));
    world.run_for(ms(0));
    let end = world.log.end_of(call).unwrap_err();
    assert!(too_large(&end), "{end:?}");
    assert!(world.log.methods("files").is_empty());
    let call = world.call(&file_of(500));
    world.run_for(ms(0));
    assert_eq!(world.log.end_of(call), Ok(()));
    assert_only_the_session_is_left(&mut world);
}

#[test]
fn without_a_session_a_file_fails_at_once_or_waits_for_one() {
    let mut world = World::ws(config()).node("gate", gate());
    world.set_node("files", files(vec![vec![taken()]]));
    let error = world
        .try_call(&file(), RequestOptions::default())
        .unwrap_err();
    assert_eq!(*error.kind(), RequestErrorKind::NotConnected);
    let waiting = RequestOptions::default().wait_online(true);
    let call = world.try_call(&file(), waiting).unwrap();
    world.run_to(secs(3));
    assert!(!world.log.has_ended(call));
    world.login();
    world.run_to(secs(3));
    assert_eq!(world.log.end_of(call), Ok(()));
    assert_only_the_session_is_left(&mut world);
}

#[test]
fn a_file_that_waits_for_a_session_keeps_its_deadline() {
    let settings = config().file_timeout(secs(30));
    let mut world = World::ws(settings).node("gate", gate());
    let waiting = RequestOptions::default().wait_online(true);
    let call = world.try_call(&file(), waiting).unwrap();
    world.run_to(secs(30) - TICK);
    assert!(!world.log.has_ended(call));
    world.run_to(secs(30));
    let late = RequestErrorKind::TimedOut { sent: false };
    assert_eq!(world.log.end_of(call), Err(late));
}

#[test]
fn files_that_wait_may_take_no_more_memory_than_unsent_bytes() {
    let settings = config().max_unsent(2 * SIZE);
    let mut world = World::ws(settings).node("gate", gate());
    let waiting = RequestOptions::default().wait_online(true);
    world.try_call(&file(), waiting).unwrap();
    world.try_call(&file(), waiting).unwrap();
    let error = world.try_call(&file(), waiting).unwrap_err();
    assert_eq!(*error.kind(), RequestErrorKind::Backpressure);
}
