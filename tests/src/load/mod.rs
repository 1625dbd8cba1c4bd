//! Measures a client against a running service: `load`.

mod calls;
mod histogram;
mod idle;
mod options;
mod pushes;
mod usage;

use rtm_client_tokio::rtm_proto::transport::TlsOptions;
use rtm_client_tokio::{Builder, Client};
use serde_json::Value as Json;

pub use histogram::Histogram;
pub use options::{Mode, Options, USAGE};

use crate::runtime::Runtime;

/// Measures, and gives the figures as a JSON object.
///
/// Everything runs on the calling thread, so that the CPU time is that of the
/// client and of little else. What goes wrong while measuring is counted in
/// `errors`, and told on stderr once.
///
/// # Errors
///
/// A text, when no measurement comes about: no connection, no login, no such
/// file.
pub fn run(options: &Options) -> Result<Json, String> {
    match options.runtime {
        Runtime::Tokio => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
            runtime.block_on(measure(options))
        }
        Runtime::AsyncStd | Runtime::Smol | Runtime::Blocking => {
            Err("only the tokio client can be measured".into())
        }
    }
}

async fn measure(options: &Options) -> Result<Json, String> {
    let source = Source::new(options)?;
    match options.mode {
        Mode::Calls => calls::measure(options, &source).await,
        Mode::Pushes(count) => pushes::measure(options, &source, count).await,
        Mode::Connections(count) => idle::measure(options, &source, count).await,
    }
}

/// Makes clients of one kind.
struct Source {
    builder: Box<dyn Fn() -> Builder>,
}

impl Source {
    /// Clients share their TLS settings: reading certificates for each would
    /// cost more memory than all the rest.
    fn new(options: &Options) -> Result<Source, String> {
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
                Client::fpnn(&options.endpoint)
            } else {
                let token = options.token.as_str();
                let builder = Client::builder(options.project_id, options.user_id, token);
                builder.gate(&options.endpoint)
            };
            builder.tls(tls.clone())
        };
        Ok(Source {
            builder: Box::new(builder),
        })
    }

    async fn client(&self) -> Result<Client, String> {
        let client = (self.builder)().login().await;
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
