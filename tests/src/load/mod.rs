//! Measures a client against a running service, or the least that could do the
//! same work: `load`.

mod calls;
mod fixed;
mod flood;
mod floor;
mod histogram;
mod idle;
mod options;
mod pushes;
mod subject;
mod tally;
mod usage;
mod wire;

use rtm_proto::handle::Builder;
use rtm_proto::transport::TlsOptions;
use serde_json::Value as Json;

pub use fixed::FixedService;
pub use floor::Floor;
pub use histogram::Histogram;
pub use options::{Mode, Options, Task, USAGE};

use crate::runtime::Runtime;
use subject::Subject;

/// Measures, and gives the figures as a JSON object.
///
/// With tokio everything runs on the calling thread; the other runtimes have
/// threads of their own. What goes wrong while measuring is counted in
/// `errors`, and told on stderr once.
///
/// # Errors
///
/// A text, when no measurement comes about: no connection, no login, no such
/// file.
pub fn run(options: &Options) -> Result<Json, String> {
    if let Some(floor) = options.floor {
        return floor::measure(options, floor);
    }
    match options.runtime {
        Runtime::Tokio => measure_on::<rtm_client_tokio::Client>(options),
        Runtime::AsyncStd => measure_on::<rtm_client_async_std::Client>(options),
        Runtime::Smol => measure_on::<rtm_client_async_std::smol::Client>(options),
        Runtime::Blocking => measure_on::<rtm_client_blocking::Client>(options),
    }
}

fn measure_on<S: Subject>(options: &Options) -> Result<Json, String> {
    S::block_on(measure::<S>(options))?
}

async fn measure<S: Subject>(options: &Options) -> Result<Json, String> {
    let source = Source::<S>::new(options)?;
    match options.mode {
        Mode::Calls => calls::measure(options, &source).await,
        Mode::Pushes(count) => pushes::measure(options, &source, count).await,
        Mode::Flood => flood::measure(options, &source).await,
        Mode::Connections(count) => idle::measure(options, &source, count).await,
    }
}

/// Makes clients of one kind.
struct Source<S: Subject> {
    builder: Box<dyn Fn() -> Builder<S::Start>>,
}

impl<S: Subject> Source<S> {
    /// Clients share their TLS settings: reading certificates for each would
    /// cost more memory than all the rest.
    fn new(options: &Options) -> Result<Self, String> {
        let tls = match &options.root_pem {
            Some(pem) => TlsOptions::builder().add_root_pem(pem),
            None => Ok(TlsOptions::builder().add_webpki_roots()),
        };
        let tls = tls
            .and_then(|tls| tls.build())
            .map_err(|error| error.to_string())?;
        let options = options.clone();
        let builder = move || {
            let builder = if options.raw {
                Builder::fpnn(&options.endpoint)
            } else {
                let token = options.token.as_str();
                let builder = Builder::new(options.project_id, options.user_id, token);
                builder.gate(&options.endpoint)
            };
            builder.tls(tls.clone())
        };
        Ok(Source {
            builder: Box::new(builder),
        })
    }

    async fn client(&self) -> Result<S, String> {
        let client = S::log_in((self.builder)()).await;
        client.map_err(|error| error.to_string())
    }
}

/// Keeps `digits` digits behind the point.
fn rounded(number: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (number * scale).round() / scale
}

/// Divides; nothing by nothing is 0.
fn ratio(total: f64, count: f64) -> f64 {
    if count > 0.0 { total / count } else { 0.0 }
}
