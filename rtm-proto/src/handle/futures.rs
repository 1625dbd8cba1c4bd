//! Login and logout as futures.

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::shared::{Shared, login_outcome};
use super::wakers::Seat;
use crate::client::{Session, State};
use crate::error::LoginError;

/// A login: a future that gives the session.
///
/// It resolves once the client is online, or once no attempt will follow:
/// after a final refusal, a logout, the last permitted attempt, or the first
/// failure without [`auto_reconnect`](crate::Config::auto_reconnect). Joining
/// a login that is under way, or a session that is open, is fine. Nothing
/// happens before it is polled; if the last handle is gone by then, nothing is
/// begun and it fails with what closed the client.
///
/// # Cancel safety
///
/// Dropping it stops nothing: the login goes on.
#[must_use = "a login does nothing unless polled, for example by `.await`"]
pub struct Login {
    shared: Arc<Shared>,
    seat: Seat,
    before: Option<Before>,
}

/// What there had been when a login was asked for.
#[derive(Clone, Copy)]
struct Before {
    logins_ended: u64,
    sessions_opened: u64,
}

impl Login {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Login {
            shared,
            seat: Seat::new(),
            before: None,
        }
    }
}

impl Future for Login {
    type Output = Result<Session, LoginError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let before = *this.before.get_or_insert_with(|| {
            this.shared.act(|core, now| {
                // A session that is closing will end once more before this
                // login begins.
                let closing = u64::from(matches!(core.client.state(), State::Closing));
                // A session that is open counts as the one this login opened,
                // even if somebody ends it before the next look.
                let open = u64::from(matches!(core.client.state(), State::Online { .. }));
                // Without a handle nobody could ever end the session.
                if !core.handles_gone {
                    core.client.login(now);
                }
                Before {
                    logins_ended: core.logins_ended + closing,
                    sessions_opened: core.sessions_opened - open,
                }
            })
        });
        let mut core = this.shared.lock();
        if core.sessions_opened > before.sessions_opened {
            if let Some(session) = &core.last_session {
                return Poll::Ready(Ok(session.clone()));
            }
        }
        // A login that was to follow a logout may have been revoked by another
        // one: a closed client has none under way, whatever the count says.
        if let Some(outcome) = login_outcome(core.client.state()) {
            return Poll::Ready(outcome);
        }
        if core.logins_ended > before.logins_ended {
            if let Some(outcome) = &core.last_login {
                return Poll::Ready(outcome.clone());
            }
        }
        let replaced = core.state_wakers.register(&mut this.seat, cx.waker());
        drop(core);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        self.shared.leave(&self.seat, |core| &mut core.state_wakers);
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

/// A login of a client that was just built: a future that gives the client.
///
/// # Cancel safety
///
/// Dropping it drops the client, which then logs out.
#[must_use = "a login does nothing unless polled, for example by `.await`"]
pub struct LoginClient<C> {
    login: Option<(C, Login)>,
    failed: Option<LoginError>,
}

// Nothing in it is pinned.
impl<C> Unpin for LoginClient<C> {}

impl<C> LoginClient<C> {
    /// Logs in `client` with `login`, which is one of its own.
    pub const fn new(client: C, login: Login) -> Self {
        LoginClient {
            login: Some((client, login)),
            failed: None,
        }
    }

    /// A login that has failed already.
    pub const fn failed(error: LoginError) -> Self {
        LoginClient {
            login: None,
            failed: Some(error),
        }
    }
}

impl<C> Future for LoginClient<C> {
    type Output = Result<C, LoginError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Err(error));
        }
        let Some((_, login)) = &mut self.login else {
            return Poll::Pending;
        };
        let Poll::Ready(outcome) = Pin::new(login).poll(cx) else {
            return Poll::Pending;
        };
        match (self.login.take(), outcome) {
            (Some((client, _)), Ok(_)) => Poll::Ready(Ok(client)),
            (_, Err(error)) => Poll::Ready(Err(error)),
            (None, Ok(_)) => Poll::Pending,
        }
    }
}

impl<C> fmt::Debug for LoginClient<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginClient").finish_non_exhaustive()
    }
}

/// A logout: a future that resolves once the client is closed, after 5 s at
/// the latest. Nothing happens before it is polled.
///
/// # Cancel safety
///
/// Dropping it once it was polled stops nothing: the logout goes on.
#[must_use = "a logout does nothing unless polled, for example by `.await`"]
pub struct Logout {
    shared: Arc<Shared>,
    seat: Seat,
    asked: bool,
}

impl Logout {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Logout {
            shared,
            seat: Seat::new(),
            asked: false,
        }
    }
}

impl Future for Logout {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if !core::mem::replace(&mut this.asked, true) {
            this.shared.act(|core, now| core.client.logout(now));
        }
        let mut core = this.shared.lock();
        // Anything but `Closing` means that the session it was about is over,
        // even if somebody has begun another since.
        if !matches!(core.client.state(), State::Closing) {
            return Poll::Ready(());
        }
        let replaced = core.state_wakers.register(&mut this.seat, cx.waker());
        drop(core);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Logout {
    fn drop(&mut self) {
        self.shared.leave(&self.seat, |core| &mut core.state_wakers);
    }
}

impl fmt::Debug for Logout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logout").finish_non_exhaustive()
    }
}
