//! The clients against the captured vectors, and the judge against vectors that are wrong on purpose.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rtm_tests::runtime::Runtime;
use rtm_tests::vectors::{NOT_BUILT, Report, is_built, run};
use serde_json::{Value, json};

const FILES: [&str; 4] = [
    "client-frames.json",
    "push-frames.json",
    "answer-frames.json",
    "tcp-frames.json",
];

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

fn records(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(vectors().join(file)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn text(record: &Value, key: &str) -> String {
    record[key].as_str().unwrap_or_default().to_owned()
}

/// Exactly the records of methods that are not built fail.
fn passes(runtime: Runtime) {
    let report = run(&vectors(), runtime).unwrap();
    let all: Vec<Value> = FILES.iter().flat_map(|file| records(file)).collect();
    let mechanical = all
        .iter()
        .filter(|record| !text(record, "kind").starts_with("probe"));
    assert_eq!(
        report.passed.len() + report.failed.len(),
        mechanical.count()
    );
    assert!(report.passed.len() >= 248, "{report}");

    let missing = all.iter().filter(|record| {
        let method = text(record, "sdk_method");
        !method.is_empty() && !is_built(&method)
    });
    let missing: BTreeSet<String> = missing.map(|record| text(record, "id")).collect();
    let failed: BTreeSet<String> = report.failed.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(failed, missing, "{report}");
    assert!(
        report.failed.iter().all(|(_, why)| why == NOT_BUILT),
        "{report}"
    );
}

#[test]
fn the_tokio_client_passes_all_vectors_of_methods_it_has() {
    passes(Runtime::Tokio);
}

#[test]
fn the_async_std_client_passes_all_vectors_of_methods_it_has() {
    passes(Runtime::AsyncStd);
}

#[test]
fn the_smol_client_passes_all_vectors_of_methods_it_has() {
    passes(Runtime::Smol);
}

#[test]
fn the_blocking_client_passes_all_vectors_of_methods_it_has() {
    passes(Runtime::Blocking);
}

#[test]
fn the_report_ends_with_the_counts() {
    let report = Report {
        passed: vec!["a".into()],
        failed: vec![("b".into(), "mid: 0".into())],
    };
    assert_eq!(report.to_string(), "b: mid: 0\n1 passed, 1 failed");
    assert!(!report.is_success());
}

#[test]
fn a_folder_without_vectors_is_no_success() {
    let empty = folder("empty");
    let report = run(&empty, Runtime::Tokio).unwrap();
    assert_eq!(report.to_string(), "0 passed, 0 failed");
    assert!(!report.is_success());
    assert!(run(&empty.join("missing"), Runtime::Tokio).is_err());
    fs::write(empty.join("tcp-frames.json"), "[{").unwrap();
    let error = run(&empty, Runtime::Tokio).unwrap_err();
    assert!(error.contains("tcp-frames.json"), "{error}");
}

/// An empty folder of this name.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs one record with a part of it replaced, which must make it fail for
/// this reason.
#[track_caller]
fn fails(file: &str, id: &str, pointer: &str, wrong: Value, reason: &str) {
    let mut record = records(file)
        .into_iter()
        .find(|record| record["id"] == id)
        .unwrap();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let part = &mut record
        .pointer_mut(parent)
        .expect("the record has this part")[key];
    assert_ne!(*part, wrong, "nothing would change");
    *part = wrong;
    let folder = folder(&format!("wrong-{id}{}", pointer.replace('/', "-")));
    fs::write(folder.join(file), json!([record]).to_string()).unwrap();
    let report = run(&folder, Runtime::Tokio).unwrap();
    match report.failed.as_slice() {
        [(failed, why)] => {
            assert_eq!(failed, id);
            assert!(why.contains(reason), "{id}: {why}");
        }
        other => panic!("{id} with another {pointer}: {other:?}"),
    }
}

#[test]
fn a_client_frame_that_differs_fails() {
    let file = "client-frames.json";
    fails(file, "call-003", "/payload/to/int", json!("1"), "to: ");
    fails(file, "call-003", "/header/seq", json!(3), "seq");
    fails(file, "call-003", "/header/flag", json!(64), "flag");
    fails(file, "call-003", "/method", json!("sendmsgs"), "method");
    fails(file, "call-150", "/payload", json!({}), "too much");
    fails(
        file,
        "call-150",
        "/payload",
        json!({"rid": 1, "x": 2}),
        "rid",
    );
    fails(file, "call-031", "/frame_sha256", json!("00"), "sha256");
    fails(file, "call-033", "/payload/attrs", json!("x"), "attrs");
    fails(file, "auth-218", "/options/version", json!("1"), "version");
    fails(
        file,
        "auth-218",
        "/ws_path",
        json!("/"),
        "/service/websocket",
    );
    fails(file, "which-231", "/ipv6", json!(true), "addrType");
    fails(
        file,
        "proxy-250",
        "/wrapper/endpoint",
        json!("10.0.0.6:13325"),
        "proxied",
    );
    fails(file, "seq-204", "/payload/rid/int", json!("2"), "");
}

#[test]
fn a_push_that_comes_to_something_else_fails() {
    let file = "push-frames.json";
    fails(
        file,
        "routing-003",
        "/expect_events/0/event",
        json!("pushchat"),
        "events",
    );
    fails(
        file,
        "routing-003",
        "/expect_events/0/data/from/int",
        json!("1"),
        "from",
    );
    fails(
        file,
        "routing-003",
        "/expect_events/0/data/binary/bin",
        json!("00"),
        "binary",
    );
    fails(file, "routing-003", "/expect_events", json!([]), "events");
    fails(
        file,
        "routing-003",
        "/expect_answers",
        json!([]),
        "1 answers instead of 0",
    );
    fails(
        file,
        "routing-003",
        "/expect_answers/0/seq",
        json!(8),
        "answered",
    );
    fails(
        file,
        "json-022",
        "/expect_answers/0/encoding",
        json!("msgpack"),
        "json",
    );
    fails(
        file,
        "ping-114",
        "/expect_client_closes_connection",
        json!(true),
        "sent nothing more",
    );
    fails(
        file,
        "kickout-123",
        "/expect_events/0/data/reason",
        json!("other"),
        "kickout",
    );
}

#[test]
fn an_answer_that_comes_to_something_else_fails() {
    let file = "answer-frames.json";
    fails(file, "ok-001", "/expect/data/mid/int", json!("1"), "mid");
    fails(
        file,
        "ok-001",
        "/expect/data/payload/mtime/int",
        json!("1"),
        "mtime",
    );
    fails(
        file,
        "ok-001",
        "/expect/result",
        json!("error"),
        "succeeded",
    );
    fails(file, "ok-001", "/request_seq", json!(3), "seq");
    fails(file, "ok-066", "/expect/data/0/int", json!("5"), "[0]");
    fails(file, "error-093", "/expect/error/code", json!("1"), "code");
    fails(file, "error-093", "/expect/error/ex", json!("1"), "ex");
    fails(
        file,
        "error-093",
        "/expect/error/kind",
        json!("timeout"),
        "instead of timeout",
    );
    fails(
        file,
        "error-093",
        "/expect/mid/int",
        json!("1"),
        "message id",
    );
    fails(file, "error-093", "/expect/result", json!("ok"), "failed");
    fails(
        file,
        "timeout-130",
        "/expect/after_ms/max",
        json!(1500),
        "after",
    );
}

#[test]
fn a_tcp_frame_that_differs_fails() {
    let file = "tcp-frames.json";
    fails(file, "tcp-001", "/quest/payload/v", json!("x"), "quest");
    fails(file, "tcp-001", "/quest/method", json!("t"), "method");
    fails(file, "tcp-001", "/answer/header/psize", json!(1), "psize");
    fails(
        file,
        "tcp-004",
        "/quest/payload_json_text",
        json!("{}"),
        "decoded as",
    );
    fails(
        file,
        "tcp-043",
        "/server_frames_after_answer/0/frame_len",
        json!(1),
        "push",
    );
}

/// Runs the program over one record.
fn program(file: &str, id: &str) -> (Option<i32>, String) {
    let record = records(file)
        .into_iter()
        .find(|record| record["id"] == id)
        .unwrap();
    let folder = folder(&format!("alone-{id}"));
    fs::write(folder.join(file), json!([record]).to_string()).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_check-vectors"));
    let output = program
        .arg(folder)
        .args(["--runtime", "tokio"])
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn the_program_prints_reasons_then_counts_and_exits_accordingly() {
    let passed = program("tcp-frames.json", "tcp-001");
    assert_eq!(passed, (Some(0), "1 passed, 0 failed\n".into()));
    let probe = program("tcp-frames.json", "probe-002");
    assert_eq!(probe, (Some(1), "0 passed, 0 failed\n".into()));
    let mut wrong = Command::new(env!("CARGO_BIN_EXE_check-vectors"));
    let wrong = wrong
        .arg(vectors())
        .args(["--runtime", "none"])
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(wrong.stdout.is_empty());
}
