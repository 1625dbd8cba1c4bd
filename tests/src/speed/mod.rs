//! Holds the clients against what the same work costs at the least: `speed`.
//!
//! It runs the program `load` again and again, one measurement after the other
//! in rounds, against a service of fixed answers. So what else the machine does
//! for a while meets all of them alike, and the medians of the ratios within a
//! round stay true when the figures do not.

mod table;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value as Json;

pub use table::Table;

/// One measurement: what `load` is told, and the figure that is taken.
struct Series {
    name: &'static str,
    scheme: &'static str,
    arguments: &'static [&'static str],
    field: &'static str,
}

/// The goal of pushes, in µs of CPU time each; nothing else has one of its own.
const PUSH_GOAL: f64 = 1.2;

const CPU: &str = "cpu_us_per_call";
const PUSH_CPU: &str = "cpu_us_per_push";
const MEDIAN: &str = "p50_us";

const fn tcp(
    name: &'static str,
    arguments: &'static [&'static str],
    field: &'static str,
) -> Series {
    Series {
        name,
        scheme: "tcp",
        arguments,
        field,
    }
}

#[rustfmt::skip]
const SERIES: [Series; 14] = [
    tcp("tokio, 64 in flight, CPU", &["--depth", "64"], CPU),
    tcp("actor floor, 64 in flight, CPU", &["--depth", "64", "--floor", "actor"], CPU),
    tcp("raw floor, 64 in flight, CPU", &["--depth", "64", "--floor", "raw"], CPU),
    Series { scheme: "ws", ..tcp("tokio over ws, 64 in flight, CPU", &["--depth", "64"], CPU) },
    tcp("tokio, 1 in flight, CPU", &[], CPU),
    tcp("actor floor, 1 in flight, CPU", &["--floor", "actor"], CPU),
    tcp("raw floor, 1 in flight, CPU", &["--floor", "raw"], CPU),
    tcp("tokio, pushes of 50 bytes, CPU", &["--push", "500000", "--size", "50"], PUSH_CPU),
    tcp("blocking, 1 in flight, p50", &["--runtime", "blocking"], MEDIAN),
    tcp("raw blocking floor, 1 in flight, p50", &["--runtime", "blocking", "--floor", "raw"], MEDIAN),
    tcp("tokio, 1 in flight, p50", &[], MEDIAN),
    tcp("smol, 1 in flight, p50", &["--runtime", "smol"], MEDIAN),
    tcp("async-std, 1 in flight, p50", &["--runtime", "async-std"], MEDIAN),
    tcp("actor floor, 1 in flight, p50", &["--floor", "actor"], MEDIAN),
];

/// How two series of a round relate.
#[derive(Clone, Copy)]
enum Relation {
    /// The first by the second.
    Ratio(&'static str, &'static str),
    /// The first less the second.
    Difference(&'static str, &'static str),
}

impl Relation {
    const fn of(self) -> (&'static str, &'static str) {
        match self {
            Relation::Ratio(first, second) | Relation::Difference(first, second) => (first, second),
        }
    }

    fn value(self, first: f64, second: f64) -> f64 {
        match self {
            Relation::Ratio(..) => first / second,
            Relation::Difference(..) => first - second,
        }
    }
}

/// What is asked of the clients, if anything is: a median not above the goal.
#[rustfmt::skip]
const RELATIONS: [(Relation, Option<f64>); 7] = [
    (Relation::Ratio("tokio, 64 in flight, CPU", "actor floor, 64 in flight, CPU"), Some(2.0)),
    (Relation::Ratio("tokio, 1 in flight, CPU", "actor floor, 1 in flight, CPU"), Some(1.3)),
    (Relation::Difference("tokio over ws, 64 in flight, CPU", "tokio, 64 in flight, CPU"), Some(0.5)),
    (Relation::Ratio("blocking, 1 in flight, p50", "raw blocking floor, 1 in flight, p50"), Some(1.3)),
    (Relation::Difference("blocking, 1 in flight, p50", "tokio, 1 in flight, p50"), None),
    (Relation::Difference("smol, 1 in flight, p50", "tokio, 1 in flight, p50"), None),
    (Relation::Difference("async-std, 1 in flight, p50", "tokio, 1 in flight, p50"), None),
];

/// How much is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The program `load`.
    pub load: PathBuf,
    /// Measurements of each kind.
    pub rounds: usize,
    /// Time of one of them, in seconds.
    pub seconds: f64,
}

impl Plan {
    /// Measures, and gives the tables of the series and of their relations, in
    /// µs.
    ///
    /// # Errors
    ///
    /// A text that says which measurement did not come about, and why.
    pub fn carry_out(&self) -> Result<[Table; 2], String> {
        let service = Service::start(&self.load)?;
        let mut figures = vec![Vec::new(); SERIES.len()];
        for _ in 0..self.rounds {
            for (series, figures) in SERIES.iter().zip(&mut figures) {
                figures.push(self.measure(series, &service)?);
            }
        }
        let mut all = Table::new("µs");
        for (series, figures) in SERIES.iter().zip(&figures) {
            let goal = (series.field == PUSH_CPU).then_some(PUSH_GOAL);
            all.add(series.name, figures.clone(), goal);
        }
        let mut relations = Table::new("of one round");
        for (relation, goal) in RELATIONS {
            let (first, second) = relation.of();
            let find = |name| {
                let at = SERIES.iter().position(|series| series.name == name);
                at.and_then(|at| figures.get(at)).into_iter().flatten()
            };
            let pairs = find(first).zip(find(second));
            let values = pairs.map(|(first, second)| relation.value(*first, *second));
            let what = match relation {
                Relation::Ratio(..) => format!("{first} / {second}"),
                Relation::Difference(..) => format!("{first} − {second}"),
            };
            relations.add(&what, values.collect(), goal);
        }
        Ok([all, relations])
    }

    fn measure(&self, series: &Series, service: &Service) -> Result<f64, String> {
        let fail = |why: String| format!("{}: {why}", series.name);
        let output = Command::new(&self.load)
            .arg(service.endpoint(series.scheme))
            .args(["--seconds", &self.seconds.to_string()])
            .args(series.arguments)
            .output()
            .map_err(|error| fail(error.to_string()))?;
        if !output.status.success() {
            return Err(fail(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let figures: Json =
            serde_json::from_slice(&output.stdout).map_err(|error| fail(error.to_string()))?;
        let is_sound = |field: &str| figures.get(field).is_none_or(|count| *count == 0);
        if !(is_sound("errors") && is_sound("lost")) {
            return Err(fail(figures.to_string()));
        }
        let figure = figures.get(series.field).and_then(Json::as_f64);
        figure.ok_or_else(|| fail(figures.to_string()))
    }
}

/// The service of fixed answers, in a process of its own.
struct Service {
    program: Child,
    endpoints: Json,
}

impl Service {
    fn start(load: &PathBuf) -> Result<Self, String> {
        let started = Command::new(load)
            .arg("--serve-fixed")
            .stdout(Stdio::piped())
            .spawn();
        let program = started.map_err(|error| format!("{}: {error}", load.display()))?;
        let mut service = Service {
            program,
            endpoints: Json::Null,
        };
        let mut line = String::new();
        if let Some(stdout) = service.program.stdout.take() {
            let read = BufReader::new(stdout).read_line(&mut line);
            read.map_err(|error| error.to_string())?;
        }
        service.endpoints = serde_json::from_str(&line).map_err(|error| error.to_string())?;
        Ok(service)
    }

    fn endpoint(&self, scheme: &str) -> &str {
        let endpoint = self.endpoints.get(scheme).and_then(Json::as_str);
        endpoint.unwrap_or_default()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
