//! Runs the wire vectors against a client: `check-vectors`.
//!
//! The client makes real calls over real sockets to a scripted server and is
//! judged by the rules of `tests/vectors/README.md`.

mod answer_frames;
mod args;
mod client_frames;
mod compare;
mod events;
mod methods;
mod push_frames;
mod record;
mod server;
mod setup;
mod shown;
mod subject;
mod tcp_frames;

use std::collections::VecDeque;
use std::fmt;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub use methods::{NOT_BUILT, is_built};
use record::{Record, Verdict};

use crate::runtime::Runtime;
use subject::Subject;

/// How many records are judged at a time; most of them only wait.
const WORKERS: usize = 48;
/// A record without verdict by then has failed. The longest takes 21 s.
const LIMIT: Duration = Duration::from_secs(55);

/// What came of a folder of vectors.
#[derive(Debug, Default)]
pub struct Report {
    /// Records that passed, by id.
    pub passed: Vec<String>,
    /// Records that failed, by id, with the reason.
    pub failed: Vec<(String, String)>,
}

impl Report {
    /// Whether at least one record ran and none failed.
    pub fn is_success(&self) -> bool {
        self.failed.is_empty() && !self.passed.is_empty()
    }

    fn note(&mut self, id: String, verdict: Verdict) {
        match verdict {
            Ok(()) => self.passed.push(id),
            Err(why) => self.failed.push((id, why)),
        }
    }
}

impl fmt::Display for Report {
    /// The failing ids with their reasons, then `N passed, N failed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, why) in &self.failed {
            writeln!(f, "{id}: {why}")?;
        }
        write!(
            f,
            "{} passed, {} failed",
            self.passed.len(),
            self.failed.len()
        )
    }
}

/// Runs all mechanical records of the files in `dir`; missing files are passed
/// over.
///
/// # Errors
///
/// A text that names a file that cannot be read.
pub fn run(dir: &Path, runtime: Runtime) -> Result<Report, String> {
    if !dir.is_dir() {
        return Err(format!("{} is not a folder", dir.display()));
    }
    let jobs = match runtime {
        Runtime::Tokio => jobs::<rtm_client_tokio::Client>(dir)?,
        Runtime::AsyncStd => jobs::<rtm_client_async_std::Client>(dir)?,
        Runtime::Smol => jobs::<rtm_client_async_std::smol::Client>(dir)?,
        Runtime::Blocking => jobs::<rtm_client_blocking::Client>(dir)?,
    };
    Ok(run_all(jobs))
}

fn jobs<S: Subject>(dir: &Path) -> Result<Vec<Job>, String> {
    let read = |file| Record::read_all(dir, file);
    let mut jobs = client_frames::jobs::<S>(read("client-frames.json")?);
    jobs.extend(push_frames::jobs::<S>(read("push-frames.json")?));
    jobs.extend(answer_frames::jobs::<S>(read("answer-frames.json")?));
    jobs.extend(tcp_frames::jobs(read("tcp-frames.json")?));
    Ok(jobs)
}

/// Records that are judged together.
struct Job {
    ids: Vec<String>,
    judge: Box<dyn FnOnce() -> Vec<Verdict> + Send>,
}

impl Job {
    fn new(ids: Vec<String>, judge: impl FnOnce() -> Vec<Verdict> + Send + 'static) -> Self {
        let judge = Box::new(judge);
        Job { ids, judge }
    }
}

/// A job of one record.
fn job(id: String, judge: impl FnOnce() -> Verdict + Send + 'static) -> Job {
    Job::new(vec![id], move || vec![judge()])
}

fn run_all(jobs: Vec<Job>) -> Report {
    let mut waiting: Vec<String> = jobs.iter().flat_map(|job| job.ids.clone()).collect();
    let verdicts = start(jobs);
    let deadline = Instant::now() + LIMIT;
    let mut report = Report::default();
    while !waiting.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok((id, verdict)) = verdicts.recv_timeout(left) else {
            break;
        };
        waiting.retain(|waiting| *waiting != id);
        report.note(id, verdict);
    }
    for id in waiting {
        report.note(id, Err("no verdict in time, or the judge failed".into()));
    }
    report.passed.sort();
    report.failed.sort();
    report
}

/// Judges on threads of their own, so that a record that hangs costs one of them.
fn start(jobs: Vec<Job>) -> Receiver<(String, Verdict)> {
    let (tell, verdicts) = mpsc::channel();
    let queue = Arc::new(Mutex::new(VecDeque::from(jobs)));
    for _ in 0..WORKERS {
        let (queue, tell) = (queue.clone(), tell.clone());
        let next = move || {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.pop_front()
        };
        thread::spawn(move || {
            while let Some(Job { ids, judge }) = next() {
                for verdict in ids.into_iter().zip(judge()) {
                    let _ = tell.send(verdict);
                }
            }
        });
    }
    verdicts
}
