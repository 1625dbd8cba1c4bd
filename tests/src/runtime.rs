//! The runtimes that there are clients for.

use std::str::FromStr;

/// A runtime whose client the tools can use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Runtime {
    /// `rtm-client-tokio`.
    #[default]
    Tokio,
}

impl FromStr for Runtime {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "tokio" => Ok(Runtime::Tokio),
            "async-std" | "smol" | "blocking" => Err(format!("the {name} client is not built yet")),
            _ => Err(format!("unknown runtime {name}; use tokio")),
        }
    }
}
