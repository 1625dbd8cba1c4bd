//! The command line of `load`.

use std::str::FromStr;
use std::time::Duration;

use super::floor::Floor;
use crate::runtime::Runtime;

/// How the program is called.
pub const USAGE: &str = "usage: load ENDPOINT [options]
       load --serve-fixed [--port P]

  ENDPOINT           tcp://host:port, ws://…, tls://… or wss://…: the gate, without dispatch
  --runtime R        the client to measure: tokio (default), async-std, smol, blocking
  --depth D          calls in flight on the connection (default: 1)
  --seconds S        how long to measure, or to wait for a push (default: 5)
  --size B           bytes of text a call carries, or a push (default: 64)
  --quest METHOD     what to call (default: sendmsg); others than sendmsg carry the text as `v`
  --project-id P, --user-id U, --token T
                     who logs in (default: the first user of the local gate)
  --to U             who gets the messages (default: the second user of the local gate)
  --push N           asks for N pushes with t_push instead, and counts them
  --flood            asks for pushes all the time instead, reads one for each call that was
                     answered, and accounts for the others
  --connections N    opens N idle clients instead, and weighs them; --seconds should be more than
                     25, for tcp clients to need their *ping
  --floor F          measures the least that could do the same instead, over tcp://:
                     raw (one task, fixed packages; also with --runtime blocking), or
                     actor (a channel, two tasks and a map of one-shot replies)
  --raw              no login, for any FPNN server
  --root-pem FILE    trusts the certificates in this file, and no others
  --serve-fixed      serves fixed answers on tcp and ws, prints its endpoints, and goes on
  --port P           where to serve them (default: a free port)";

/// What the program is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// Measure something.
    Measure(Box<Options>),
    /// Serve fixed answers on this port; 0 is a free one.
    ServeFixed(u16),
    /// Tell how it is called.
    Help,
}

/// What to measure.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The gate.
    pub endpoint: String,
    /// The client.
    pub runtime: Runtime,
    /// Calls in flight; default 1.
    pub depth: usize,
    /// How long to measure; default 5 s.
    pub span: Duration,
    /// Bytes of text in a call or a push; default 64.
    pub size: usize,
    /// What to call; default `sendmsg`.
    pub quest: String,
    /// Who logs in; default the local gate's project and first user.
    pub project_id: u32,
    /// See [`project_id`](Self::project_id).
    pub user_id: i64,
    /// See [`project_id`](Self::project_id).
    pub token: String,
    /// Who gets the messages; default the local gate's second user.
    pub to: i64,
    /// What to do.
    pub mode: Mode,
    /// What to measure in the client's place.
    pub floor: Option<Floor>,
    /// Whether to leave out the login.
    pub raw: bool,
    /// Certificates to trust, as PEM; default those that are built in.
    pub root_pem: Option<String>,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Calls as fast as the depth allows.
    Calls,
    /// This many pushes.
    Pushes(u32),
    /// Pushes all the time, for a slow consumer.
    Flood,
    /// This many idle clients.
    Connections(u32),
}

impl Task {
    /// Reads the command line.
    ///
    /// # Errors
    ///
    /// A text that names the argument that is wrong.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let arguments: Vec<_> = arguments.into_iter().collect();
        let wish: Vec<_> = arguments.iter().map(String::as_str).collect();
        match *wish {
            _ if wish.contains(&"--help") || wish.contains(&"-h") => Ok(Task::Help),
            ["--serve-fixed"] => Ok(Task::ServeFixed(0)),
            ["--serve-fixed", "--port", port] => {
                number("--port", port, 0..=u16::MAX).map(Task::ServeFixed)
            }
            ["--serve-fixed", ..] => Err("--serve-fixed takes --port and nothing else".into()),
            _ => Options::read(arguments.into_iter()).map(|read| Task::Measure(Box::new(read))),
        }
    }
}

impl Options {
    /// The defaults, for a gate.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Options {
            endpoint: endpoint.into(),
            runtime: Runtime::default(),
            depth: 1,
            span: Duration::from_secs(5),
            size: 64,
            quest: "sendmsg".into(),
            project_id: 1_000_012,
            user_id: 1001,
            token: "379A3C10AA430772B410046269658FD0".into(),
            to: 1002,
            mode: Mode::Calls,
            floor: None,
            raw: false,
            root_pem: None,
        }
    }

    fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Options::new("");
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--raw" => options.raw = true,
                "--flood" => options.mode = Mode::Flood,
                flag if flag.starts_with('-') => options.set(flag, arguments.next())?,
                _ if options.endpoint.is_empty() => options.endpoint = argument,
                _ => return Err(format!("one endpoint is enough: {argument}")),
            }
        }
        if options.endpoint.is_empty() {
            return Err("no endpoint was given".into());
        }
        Ok(options)
    }

    fn set(&mut self, flag: &str, value: Option<String>) -> Result<(), String> {
        let value = || value.clone().ok_or_else(|| format!("{flag} needs a value"));
        match flag {
            "--runtime" => self.runtime = value()?.parse()?,
            "--depth" => self.depth = number(flag, &value()?, 1..=1_000_000)?,
            "--seconds" => self.span = seconds(&value()?)?,
            "--size" => self.size = number(flag, &value()?, 0..=8_000_000)?,
            "--quest" => self.quest = value()?,
            "--project-id" => self.project_id = number(flag, &value()?, 0..=u32::MAX)?,
            "--user-id" => self.user_id = number(flag, &value()?, i64::MIN..=i64::MAX)?,
            "--token" => self.token = value()?,
            "--to" => self.to = number(flag, &value()?, i64::MIN..=i64::MAX)?,
            "--push" => self.mode = Mode::Pushes(number(flag, &value()?, 1..=10_000_000)?),
            "--connections" => {
                self.mode = Mode::Connections(number(flag, &value()?, 1..=1_000_000)?)
            }
            "--floor" => self.floor = Some(value()?.parse()?),
            "--root-pem" => {
                let path = value()?;
                let pem = std::fs::read_to_string(&path);
                self.root_pem = Some(pem.map_err(|error| format!("{flag} {path}: {error}"))?);
            }
            _ => return Err(format!("unknown argument {flag}")),
        }
        Ok(())
    }
}

fn number<T>(flag: &str, text: &str, range: std::ops::RangeInclusive<T>) -> Result<T, String>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => {
            let (low, high) = range.into_inner();
            Err(format!("{flag} {text}: not a number from {low} to {high}"))
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: Option<f64> = text.parse().ok();
    let sensible = seconds.filter(|seconds| (0.01..=86_400.0).contains(seconds));
    match sensible {
        Some(seconds) => Ok(Duration::from_secs_f64(seconds)),
        None => Err(format!("--seconds {text}: not a number from 0.01 to 86400")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Task, String> {
        Task::parse(line.split_whitespace().map(String::from))
    }

    fn measure(options: Options) -> Result<Task, String> {
        Ok(Task::Measure(Box::new(options)))
    }

    #[test]
    fn every_option_is_read() {
        let line = "ws://h:1 --runtime tokio --depth 64 --seconds 0.5 --size 9 --quest t_echo --project-id 7 \
                    --user-id 8 --token t --to -9 --raw";
        let wanted = Options {
            depth: 64,
            span: Duration::from_millis(500),
            size: 9,
            quest: "t_echo".into(),
            project_id: 7,
            user_id: 8,
            token: "t".into(),
            to: -9,
            raw: true,
            ..Options::new("ws://h:1")
        };
        assert_eq!(parse(line), measure(wanted));
        assert_eq!(parse("tcp://h:1"), measure(Options::new("tcp://h:1")));
        let mode = |line| match parse(line) {
            Ok(Task::Measure(options)) => options.mode,
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(mode("--push 5 tcp://h:1"), Mode::Pushes(5));
        assert_eq!(mode("--flood tcp://h:1"), Mode::Flood);
        assert_eq!(mode("--connections 6 tcp://h:1"), Mode::Connections(6));
        let floor = Options {
            floor: Some(Floor::Actor),
            ..Options::new("tcp://h:1")
        };
        assert_eq!(parse("tcp://h:1 --floor actor"), measure(floor));
        assert_eq!(parse("x --help"), Ok(Task::Help));
        assert_eq!(parse("--serve-fixed"), Ok(Task::ServeFixed(0)));
        assert_eq!(parse("--serve-fixed --port 80"), Ok(Task::ServeFixed(80)));
    }

    #[test]
    fn bad_arguments_are_named() {
        for (line, part) in [
            ("", "no endpoint"),
            ("a:1 b:2", "one endpoint"),
            ("a:1 --depth", "--depth needs a value"),
            ("a:1 --depth 0", "--depth 0: not a number from 1"),
            ("a:1 --seconds nan", "--seconds nan"),
            ("a:1 --seconds 0", "--seconds 0"),
            ("a:1 --size -1", "--size -1"),
            ("a:1 --project-id 4294967296", "--project-id"),
            ("a:1 --push 0", "--push 0"),
            ("a:1 --runtime none", "unknown runtime none"),
            ("a:1 --root-pem /nowhere", "/nowhere"),
            ("a:1 --floor deep", "unknown floor deep"),
            ("--serve-fixed --port x", "--port x"),
            ("--serve-fixed a:1", "--serve-fixed takes"),
            ("a:1 --fast 1", "unknown argument --fast"),
        ] {
            let complaint = parse(line).unwrap_err();
            assert!(complaint.contains(part), "{line}: {complaint}");
        }
    }
}
