//! The service as a program.

use crate::peer::socket;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

#[test]
fn the_program_prints_one_line_and_serves() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rtm-gate"))
        .args(["--user", "7:seven"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(said["project_id"], 1_000_012);
    assert_eq!(said["users"].as_array().unwrap().len(), 4);
    assert_eq!(
        said["users"][0],
        serde_json::json!({"id": 7, "token": "seven"})
    );
    assert!(said["group"].is_i64());
    let pem = said["root_pem"].as_str().unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
    for service in ["dispatch", "gate"] {
        for transport in ["tcp", "ws", "wss"] {
            let endpoint = said[service][transport].as_str().unwrap();
            assert!(
                endpoint.starts_with(&format!("{transport}://")),
                "{endpoint}"
            );
        }
    }
    let mut stream = socket(said["gate"]["tcp"].as_str().unwrap());
    stream
        .write_all(b"FPNN\x01\x80\x01\x05\x01\0\0\0\x01\0\0\0*ping\x80")
        .unwrap();
    stream.read_exact(&mut [0; 12]).unwrap();
    child.kill().unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "one line and nothing else");
    child.wait().unwrap();
}

#[test]
fn the_program_names_a_bad_argument() {
    let output = Command::new(env!("CARGO_BIN_EXE_rtm-gate"))
        .args(["--port", "many"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.contains("--port many: not a port"), "{complaint}");
}
