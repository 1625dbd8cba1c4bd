//! The runtimes that there are clients for.

use std::str::FromStr;

/// A runtime whose client the tools can use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Runtime {
    /// `rtm-client-tokio`.
    #[default]
    Tokio,
    /// `rtm-client-async-std` on async-std.
    AsyncStd,
    /// `rtm-client-async-std` on smol.
    Smol,
    /// `rtm-client-blocking`.
    Blocking,
}

impl FromStr for Runtime {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "tokio" => Ok(Runtime::Tokio),
            "async-std" => Ok(Runtime::AsyncStd),
            "smol" => Ok(Runtime::Smol),
            "blocking" => Ok(Runtime::Blocking),
            _ => Err(format!(
                "unknown runtime {name}; use tokio, async-std, smol or blocking"
            )),
        }
    }
}
