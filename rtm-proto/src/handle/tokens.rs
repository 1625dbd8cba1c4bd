//! Fresh tokens from the application.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;

use crate::config::Token;

type Fresh = Pin<Box<dyn Future<Output = Option<Token>> + Send>>;

/// Where a client of an async runtime gets a fresh token from, when the gate
/// has refused the one it has.
///
/// Any function that returns a future of an `Option` of a token becomes one;
/// `None` gives up, and the refusal is final. The future is polled by the
/// client's driver, so it must not block; if it panics, so does the driver, and
/// the client is aborted.
#[derive(Clone)]
pub struct TokenProvider(Arc<dyn Fn() -> Fresh + Send + Sync>);

impl TokenProvider {
    pub(super) fn ask(&self) -> Fresh {
        (self.0)()
    }
}

impl<F, Fut, T> From<F> for TokenProvider
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Option<T>> + Send + 'static,
    T: Into<Token>,
{
    fn from(provider: F) -> Self {
        TokenProvider(Arc::new(move || {
            let fresh = provider();
            Box::pin(async move { fresh.await.map(Into::into) })
        }))
    }
}

impl fmt::Debug for TokenProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenProvider").finish_non_exhaustive()
    }
}

/// Where a client without a runtime gets a fresh token from.
///
/// Any function that returns an `Option` of a token becomes one; `None` gives
/// up, and the refusal is final; so does a panic. It is called on a thread of
/// its own.
#[derive(Clone)]
pub struct BlockingTokenProvider(Arc<dyn Fn() -> Option<Token> + Send + Sync>);

impl BlockingTokenProvider {
    /// Asks for a token.
    #[must_use]
    pub fn ask(&self) -> Option<Token> {
        (self.0)()
    }
}

impl<F, T> From<F> for BlockingTokenProvider
where
    F: Fn() -> Option<T> + Send + Sync + 'static,
    T: Into<Token>,
{
    fn from(provider: F) -> Self {
        BlockingTokenProvider(Arc::new(move || provider().map(Into::into)))
    }
}

impl fmt::Debug for BlockingTokenProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingTokenProvider")
            .finish_non_exhaustive()
    }
}
