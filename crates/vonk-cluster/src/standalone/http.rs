//! Looking at a machine that runs on a thread of its own, for the status APIs of master and worker.
//!
//! Must not know: what they say, how they are served ([`crate::web`]).

use crate::standalone::machine::Inbox;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::oneshot;
use vonk_scheduler::Time;

/// What is done with a machine on its thread.
pub(crate) type Look<M> = Box<dyn FnOnce(&M, Time) + Send>;

/// The messages of a machine's thread, one of which lets look at it.
pub(crate) trait Visible: Send + 'static {
    /// The machine.
    type Machine: 'static;
    /// The message.
    fn look(look: Look<Self::Machine>) -> Self;
}

/// Looks at a machine, on its thread; the response if that has ended.
async fn look<M: Visible, T: Send + 'static>(
    inbox: &Inbox<M>,
    look: impl FnOnce(&M::Machine, Time) -> T + Send + 'static,
) -> Result<T, Response> {
    let ending = || (StatusCode::SERVICE_UNAVAILABLE, "the daemon is ending\n").into_response();
    let (sender, receiver) = oneshot::channel();
    let message = M::look(Box::new(move |machine, now| {
        // Who asked may be gone.
        let _ = sender.send(look(machine, now));
    }));
    inbox.send(message).await.map_err(|_| ending())?;
    receiver.await.map_err(|_| ending())
}

/// What is seen, as JSON, or 404 for what is not there.
pub(crate) async fn json<M: Visible, T: serde::Serialize + Send + 'static>(
    inbox: Inbox<M>,
    see: impl FnOnce(&M::Machine, Time) -> Option<T> + Send + 'static,
) -> Response {
    match look(&inbox, see).await {
        Ok(Some(value)) => axum::Json(value).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, "not found\n").into_response(),
        Err(response) => response,
    }
}

/// What is seen, as it is.
pub(crate) async fn plain<M: Visible, T: IntoResponse + Send + 'static>(
    inbox: Inbox<M>,
    see: impl FnOnce(&M::Machine, Time) -> T + Send + 'static,
) -> Response {
    look(&inbox, see).await.into_response()
}
