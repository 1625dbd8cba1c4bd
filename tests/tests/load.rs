//! The program `load` against the local gate.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rtm_gate::Gate;
use rtm_tests::load::{Floor, Mode, Options, run};
use rtm_tests::runtime::Runtime;
use rtm_tests::speed::Plan;
use serde_json::Value;

fn gate() -> Gate {
    Gate::builder().record(false).start().unwrap()
}

/// A short measurement as the first user of `gate`.
fn options(gate: &Gate, endpoint: String) -> Options {
    let [me, peer, ..] = gate.users() else {
        panic!("the gate has users");
    };
    Options {
        span: Duration::from_millis(200),
        project_id: gate.project_id(),
        user_id: me.id,
        token: me.token.clone(),
        to: peer.id,
        ..Options::new(endpoint)
    }
}

#[track_caller]
fn positive(figures: &Value, fields: &[&str]) {
    for field in fields {
        let figure = figures[field].as_f64();
        assert!(
            figure.is_some_and(|figure| figure > 0.0),
            "{field}: {figures}"
        );
    }
}

const OF_CALLS: [&str; 5] = ["qps", "p50_us", "p99_us", "p999_us", "cpu_us_per_call"];

#[test]
fn calls_are_measured_over_tcp_and_ws_one_by_one_and_many_at_a_time() {
    let gate = gate();
    for endpoint in [gate.gate().tcp, gate.gate().ws] {
        for depth in [1, 64] {
            let figures = run(&Options {
                depth,
                ..options(&gate, endpoint.clone())
            });
            let figures = figures.unwrap();
            assert_eq!(figures["errors"], 0, "{figures}");
            positive(&figures, &OF_CALLS);
            assert_eq!(figures.as_object().unwrap().len(), 6, "{figures}");
            assert!(
                figures["p50_us"].as_f64() <= figures["p999_us"].as_f64(),
                "{figures}"
            );
        }
    }
}

#[test]
fn any_quest_can_be_measured_without_login_and_behind_tls() {
    let gate = gate();
    let figures = run(&Options {
        quest: "t_echo".into(),
        raw: true,
        root_pem: Some(gate.root_certificate().to_owned()),
        token: "nobody's".into(),
        ..options(&gate, gate.gate().wss)
    });
    let figures = figures.unwrap();
    assert_eq!(figures["errors"], 0, "{figures}");
    positive(&figures, &OF_CALLS);
}

#[test]
fn refused_calls_are_errors_and_no_calls() {
    let gate = gate();
    let myself = gate.users()[0].id;
    let figures = run(&Options {
        to: myself,
        ..options(&gate, gate.gate().tcp)
    });
    let figures = figures.unwrap();
    assert_eq!(figures["qps"], 0.0, "{figures}");
    positive(&figures, &["errors"]);
}

#[test]
fn pushes_are_counted_and_none_is_lost() {
    let gate = gate();
    for endpoint in [gate.gate().tcp, gate.gate().ws] {
        let figures = run(&Options {
            mode: Mode::Pushes(500),
            span: Duration::from_secs(10),
            ..options(&gate, endpoint)
        });
        let figures = figures.unwrap();
        assert_eq!(
            (&figures["lost"], &figures["errors"]),
            (&0.into(), &0.into()),
            "{figures}"
        );
        positive(&figures, &["pushes_per_s", "cpu_us_per_push"]);
    }
}

#[test]
fn idle_clients_are_weighed() {
    let gate = gate();
    let figures = run(&Options {
        mode: Mode::Connections(20),
        ..options(&gate, gate.gate().ws)
    });
    let figures = figures.unwrap();
    assert_eq!(figures["errors"], 0, "{figures}");
    for field in ["rss_kib_per_connection", "cpu_ms_per_s"] {
        assert!(
            figures[field].as_f64().is_some_and(|figure| figure >= 0.0),
            "{figures}"
        );
    }
}

#[test]
fn nothing_is_measured_without_a_login() {
    let gate = gate();
    let refused = Options {
        token: "wrong".into(),
        ..options(&gate, gate.gate().tcp)
    };
    assert!(run(&refused).unwrap_err().contains("token"));
    let nowhere = options(&gate, "gate".into());
    assert!(run(&nowhere).unwrap_err().contains("port"));
}

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_load"))
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn the_program_prints_one_json_line_and_nothing_else() {
    let gate = gate();
    let ours = options(&gate, gate.gate().tcp);
    let output = program(&[
        &ours.endpoint,
        "--runtime",
        "tokio",
        "--seconds",
        "0.1",
        "--token",
        &ours.token,
    ]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stdout.lines().count(), 1, "{stdout}");
    let figures: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(figures["errors"], 0, "{figures}");
}

#[test]
fn the_program_tells_wrong_arguments_and_failures_apart() {
    let wrong = program(&["tcp://127.0.0.1:1", "--depth", "none"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(wrong.stdout.is_empty());
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("--depth none"));
    let failed = program(&["tcp://127.0.0.1:1", "--seconds", "0.1"]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(failed.stdout.is_empty());
}

#[test]
fn every_client_can_be_measured() {
    let gate = gate();
    for runtime in [Runtime::AsyncStd, Runtime::Smol, Runtime::Blocking] {
        for mode in [Mode::Calls, Mode::Pushes(100), Mode::Connections(3)] {
            let figures = run(&Options {
                runtime,
                mode,
                depth: 8,
                span: match mode {
                    Mode::Pushes(_) => Duration::from_secs(10),
                    _ => Duration::from_millis(200),
                },
                ..options(&gate, gate.gate().ws)
            });
            let figures = figures.unwrap();
            assert_eq!(figures["errors"], 0, "{runtime:?} {mode:?}: {figures}");
            match mode {
                Mode::Calls => positive(&figures, &OF_CALLS),
                Mode::Pushes(_) => assert_eq!(figures["lost"], 0, "{runtime:?}: {figures}"),
                _ => assert!(figures["cpu_ms_per_s"].is_number(), "{figures}"),
            }
        }
    }
}

/// A service of fixed answers in a process of its own.
struct Fixed {
    program: Child,
    endpoints: Value,
}

impl Fixed {
    fn start() -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_load"))
            .arg("--serve-fixed")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = program.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        Fixed {
            program,
            endpoints: serde_json::from_str(&line).unwrap(),
        }
    }

    fn endpoint(&self, scheme: &str) -> String {
        self.endpoints[scheme].as_str().unwrap().to_owned()
    }
}

impl Drop for Fixed {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn short(endpoint: String) -> Options {
    Options {
        span: Duration::from_millis(200),
        ..Options::new(endpoint)
    }
}

#[test]
fn fixed_answers_serve_every_client_over_tcp_and_ws() {
    let fixed = Fixed::start();
    for runtime in [Runtime::Tokio, Runtime::Smol, Runtime::Blocking] {
        for scheme in ["tcp", "ws"] {
            let figures = run(&Options {
                runtime,
                depth: 16,
                ..short(fixed.endpoint(scheme))
            });
            let figures = figures.unwrap();
            assert_eq!(figures["errors"], 0, "{runtime:?} {scheme}: {figures}");
            positive(&figures, &OF_CALLS);
        }
    }
}

#[test]
fn the_fixed_service_pushes_what_it_was_asked_for() {
    let fixed = Fixed::start();
    for (scheme, size) in [
        ("tcp", 50),
        ("ws", 50),
        ("ws", 0),
        ("tcp", 100_000),
        ("ws", 100_000),
    ] {
        let figures = run(&Options {
            mode: Mode::Pushes(300),
            size,
            span: Duration::from_secs(10),
            ..short(fixed.endpoint(scheme))
        });
        let figures = figures.unwrap();
        assert_eq!(
            (&figures["lost"], &figures["errors"]),
            (&0.into(), &0.into()),
            "{scheme} {size}: {figures}"
        );
    }
}

#[test]
fn every_push_of_a_flood_is_read_or_missed_and_calls_are_answered_meanwhile() {
    let fixed = Fixed::start();
    for runtime in [Runtime::Tokio, Runtime::Smol, Runtime::Blocking] {
        let figures = run(&Options {
            runtime,
            mode: Mode::Flood,
            ..short(fixed.endpoint("tcp"))
        });
        let figures = figures.unwrap();
        assert_eq!(
            (&figures["unaccounted"], &figures["errors"]),
            (&0.into(), &0.into()),
            "{runtime:?}: {figures}"
        );
        positive(&figures, &["pushes", "read", "missed", "calls", "p50_us"]);
    }
}

/// The consumer shares the only thread with the loop that reads the pushes, and
/// the pushes are far more than the queue holds.
#[test]
fn a_consumer_that_takes_what_comes_loses_nothing_in_a_flood() {
    let fixed = Fixed::start();
    for scheme in ["tcp", "ws"] {
        let figures = run(&Options {
            mode: Mode::Pushes(60_000),
            size: 50,
            span: Duration::from_secs(10),
            ..short(fixed.endpoint(scheme))
        });
        let figures = figures.unwrap();
        assert_eq!(figures["lost"], 0, "{scheme}: {figures}");
    }
}

#[test]
fn the_floors_measure_against_the_fixed_service_and_the_gate() {
    let (fixed, gate) = (Fixed::start(), gate());
    for (floor, runtime) in [
        (Floor::Raw, Runtime::Tokio),
        (Floor::Raw, Runtime::Blocking),
        (Floor::Actor, Runtime::Tokio),
    ] {
        for depth in [1, 64] {
            let at_gate = Options {
                quest: "t_echo".into(),
                ..options(&gate, gate.gate().tcp)
            };
            for at in [short(fixed.endpoint("tcp")), at_gate] {
                let figures = run(&Options {
                    floor: Some(floor),
                    runtime,
                    depth,
                    ..at
                });
                let figures = figures.unwrap();
                assert_eq!(figures["errors"], 0, "{floor:?} {runtime:?}: {figures}");
                positive(&figures, &OF_CALLS);
            }
        }
    }
}

#[test]
fn speed_holds_every_client_against_its_floor() {
    let plan = Plan {
        load: env!("CARGO_BIN_EXE_load").into(),
        rounds: 1,
        seconds: 0.2,
    };
    let [all, relations] = plan.carry_out().unwrap();
    for text in [all.to_string(), relations.to_string()] {
        assert!(text.lines().count() > 8, "{text}");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
    let nowhere = Plan {
        load: "/nowhere".into(),
        ..plan
    };
    assert!(nowhere.carry_out().is_err());
}

#[test]
fn what_a_floor_cannot_measure_is_refused() {
    let floor = |endpoint: &str| Options {
        floor: Some(Floor::Raw),
        ..short(endpoint.into())
    };
    let complaint = |options: Options| run(&options).unwrap_err();
    assert!(complaint(floor("ws://127.0.0.1:1")).contains("tcp://"));
    let pushes = Options {
        mode: Mode::Pushes(1),
        ..floor("tcp://127.0.0.1:1")
    };
    assert!(complaint(pushes).contains("calls"));
    let smol = Options {
        runtime: Runtime::Smol,
        ..floor("tcp://127.0.0.1:1")
    };
    assert!(complaint(smol).contains("tokio"));
}
