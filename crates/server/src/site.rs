//! What all connections of one listener share.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use tokio::sync::Semaphore;

use crate::dev::Dev;
use crate::tls::Certificate;
use crate::{Handler, Limits, TrustedProxies};

/// The one that answers, and the rules of the door in front of it.
pub struct Site {
    /// Answers requests.
    pub handler: Arc<dyn Handler>,
    /// The switches of a development server; a plain server has none.
    pub dev: Option<Arc<dyn Dev>>,
    /// What a client may take.
    pub limits: Limits,
    /// Whose forwarded headers are believed.
    pub proxies: TrustedProxies,
    /// The certificate to show; without one connections are plain.
    pub certificate: Option<Arc<Certificate>>,
    /// Set when the process is about to end: `/readyz` says so.
    pub stopping: AtomicBool,
    /// What is left of [`Limits::buffered_bytes`], from the first body that counts on.
    buffer: OnceLock<Arc<Semaphore>>,
}

impl Site {
    /// A plain listener's rules with default limits.
    pub fn new(handler: Arc<dyn Handler>) -> Self {
        Self {
            handler,
            dev: None,
            limits: Limits::default(),
            proxies: TrustedProxies::default(),
            certificate: None,
            stopping: AtomicBool::new(false),
            buffer: OnceLock::new(),
        }
    }

    /// The bytes that bodies may still take, one permit each.
    pub(crate) fn buffer(&self) -> &Arc<Semaphore> {
        self.buffer.get_or_init(|| {
            let bytes = self.limits.buffered_bytes.min(Semaphore::MAX_PERMITS);
            Arc::new(Semaphore::new(bytes))
        })
    }
}
