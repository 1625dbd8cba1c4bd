//! The lists of names and codes are those of the service.

use std::collections::BTreeMap;

use rtm_proto::api::{EVENTS, METHODS, OPTIONS, PUSHES};
use rtm_proto::error::ErrorCode;

/// The lines of the list, by their first word.
fn listed() -> BTreeMap<String, Vec<String>> {
    let path = format!("{}/../tests/spec-list.txt", env!("CARGO_MANIFEST_DIR"));
    let mut listed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let (what, name) = line.split_once(' ').unwrap();
        listed.entry(what.into()).or_default().push(name.into());
    }
    listed
}

fn sorted<T: ToString>(names: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    names.sort();
    names
}

#[test]
fn every_listed_name_is_a_constant_and_no_other() {
    let listed = listed();
    let codes = ErrorCode::ALL.iter().map(|code| code.0);
    let constants = [
        ("method", sorted(METHODS)),
        ("push", sorted(PUSHES)),
        ("event", sorted(EVENTS)),
        ("option", sorted(OPTIONS)),
        ("code", sorted(codes)),
    ];
    assert!(
        listed
            .keys()
            .eq(sorted(constants.iter().map(|(what, _)| what)).iter())
    );
    for (what, names) in constants {
        assert_eq!(names, sorted(&listed[what]), "{what}");
    }
}

#[test]
fn there_are_as_many_as_the_service_has() {
    let counts = [METHODS.len(), PUSHES.len(), EVENTS.len(), OPTIONS.len()];
    assert_eq!(counts, [1 + 47 + 3, 7, 23, 12]);
}

#[test]
fn a_push_has_the_name_of_the_event_it_can_become() {
    assert!(PUSHES.iter().all(|push| EVENTS.contains(push)));
}
