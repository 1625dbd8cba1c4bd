//! The local RTM service as a program: prints one JSON line that says how to reach it, then serves until it is killed.

use rtm_gate::{Builder, Endpoints, Gate};
use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;

const USAGE: &str = "usage: rtm-gate [--port PORT] [--user ID:TOKEN]...

  --port PORT      the port of tcp and ws; tls and wss get the next one (default: free ports)
  --user ID:TOKEN  a user that may log in with this token; repeatable";

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)) {
        Err(complaint) => {
            eprintln!("rtm-gate: {complaint}\n\n{USAGE}");
            ExitCode::from(2)
        }
        Ok(None) => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        Ok(Some(settings)) => match serve(settings) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("rtm-gate: {error}");
                ExitCode::FAILURE
            }
        },
    }
}

fn serve(settings: Builder) -> std::io::Result<()> {
    let gate = settings.record(false).start()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", description(&gate))?;
    out.flush()?;
    drop(out);
    gate.serve_forever();
    Ok(())
}

fn description(gate: &Gate) -> Value {
    let users = gate.users().iter();
    json!({
        "dispatch": endpoints(&gate.dispatch()),
        "gate": endpoints(&gate.gate()),
        "project_id": gate.project_id(),
        "users": users.map(|user| json!({"id": user.id, "token": user.token})).collect::<Value>(),
        "group": gate.group(),
        "root_pem": gate.root_certificate(),
    })
}

fn endpoints(endpoints: &Endpoints) -> Value {
    json!({"tcp": endpoints.tcp, "ws": endpoints.ws, "wss": endpoints.wss})
}

/// Reads the command line; `None` is a wish for help.
fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Option<Builder>, String> {
    let mut settings = Gate::builder();
    let mut arguments = arguments.into_iter();
    while let Some(flag) = arguments.next() {
        let mut value = || {
            let value = arguments.next();
            value.ok_or_else(|| format!("{flag} needs a value"))
        };
        settings = match flag.as_str() {
            "--help" | "-h" => return Ok(None),
            "--port" => {
                let text = value()?;
                let port = text.parse();
                settings.port(port.map_err(|_| format!("--port {text}: not a port (0 to 65535)"))?)
            }
            "--user" => {
                let text = value()?;
                let (id, token) = user(&text)
                    .ok_or_else(|| format!("--user {text}: not of the form ID:TOKEN"))?;
                settings.user(id, token)
            }
            other => return Err(format!("unknown argument {other}")),
        };
    }
    Ok(Some(settings))
}

fn user(text: &str) -> Option<(i64, &str)> {
    let (id, token) = text.split_once(':')?;
    let id = id.parse().ok()?;
    (!token.is_empty()).then_some((id, token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(arguments: &[&str]) -> String {
        parse(arguments.iter().map(|a| (*a).to_owned())).unwrap_err()
    }

    #[test]
    fn bad_arguments_are_named() {
        assert_eq!(complaint(&["--port"]), "--port needs a value");
        assert_eq!(
            complaint(&["--port", "x"]),
            "--port x: not a port (0 to 65535)"
        );
        assert_eq!(
            complaint(&["--user", "7"]),
            "--user 7: not of the form ID:TOKEN"
        );
        assert_eq!(
            complaint(&["--user", "a:b"]),
            "--user a:b: not of the form ID:TOKEN"
        );
        assert_eq!(complaint(&["--verbose"]), "unknown argument --verbose");
    }

    #[test]
    fn users_that_were_asked_for_come_first_and_four_are_there() {
        let arguments = ["--user", "7:seven:7", "--user", "1001:mine"];
        let settings = parse(arguments.map(String::from)).unwrap().unwrap();
        let gate = settings.start().unwrap();
        let users = gate.users();
        assert_eq!((users[0].id, users[0].token.as_str()), (7, "seven:7"));
        assert_eq!((users[1].id, users[1].token.as_str()), (1001, "mine"));
        assert_eq!(
            users[2..].iter().map(|u| u.id).collect::<Vec<_>>(),
            [1002, 1003]
        );
        assert_eq!(description(&gate)["users"].as_array().unwrap().len(), 4);
    }
}
