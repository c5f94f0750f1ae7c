//! The sockets: accepting, encrypting, watching over idle connections, and ending well.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::exchange;
use crate::framing::Strict;
use crate::site::Site;

/// A pause after the system refuses a connection for want of resources.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves connections of `listener` until `stop` turns true, then lets the requests on their
/// way end, for as long as the limits allow, and returns.
pub async fn serve(listener: TcpListener, site: Arc<Site>, mut stop: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(site.limits.connections));
    let crowd = Arc::new(Crowd::default());
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = stopped(&mut stop) => break,
        };
        let Some((stream, address, permit)) = accepted else { continue };
        let limit = if site.proxies.contains(address.ip()) {
            usize::MAX
        } else {
            site.limits.connections_per_address
        };
        let Some(place) = crowd.enter(address.ip(), limit) else {
            metrics::counter!("bailiwick_connections_refused_total").increment(1);
            continue;
        };
        let (site, stop) = (Arc::clone(&site), stop.clone());
        connections.spawn(async move {
            metrics::counter!("bailiwick_connections_total").increment(1);
            metrics::gauge!("bailiwick_connections").increment(1);
            connection(stream, address.ip(), site, stop).await;
            metrics::gauge!("bailiwick_connections").decrement(1);
            drop((place, permit));
        });
    }
    drop(listener);
    site.stopping.store(true, Ordering::Relaxed);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(site.limits.drain_time, all).await.is_err() {
        tracing::warn!(left = connections.len(), "connections cut at the end of the drain time");
    }
}

/// Waits until `stop` is true. A stop whose sender is gone counts as asked for.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => {
            let address = SocketAddr::new(address.ip().to_canonical(), address.port());
            Some((stream, address, permit))
        }
        Err(error) => {
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn connection(
    stream: TcpStream,
    address: IpAddr,
    site: Arc<Site>,
    stop: watch::Receiver<bool>,
) {
    // Answers are small and wanted at once.
    let _ = stream.set_nodelay(true);
    let Some(certificate) = site.certificate.clone() else {
        return talk(stream, address, false, site, stop).await;
    };
    let handshake = certificate.acceptor().accept(stream);
    match tokio::time::timeout(site.limits.head_time, handshake).await {
        Ok(Ok(stream)) => talk(stream, address, true, site, stop).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => tracing::debug!("TLS handshake timed out"),
    }
}

async fn talk<S>(
    stream: S,
    address: IpAddr,
    encrypted: bool,
    site: Arc<Site>,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let limits = site.limits.clone();
    let activity = Arc::new(Activity::new());
    let service = {
        let activity = Arc::clone(&activity);
        service_fn(move |request| {
            let busy = activity.begin();
            let exchange = exchange::answer(Arc::clone(&site), address, encrypted, request);
            async move {
                let answer = exchange.await;
                drop(busy);
                Ok::<_, std::convert::Infallible>(answer)
            }
        })
    };
    let io = TokioIo::new(Strict::new(stream, limits.head_bytes, limits.head_time));
    let builder = builder(&limits);
    let mut conn = pin!(builder.serve_connection(io, service));
    let mut watchdog = pin!(tokio::time::sleep(limits.idle_time));
    let mut ending = false;
    loop {
        tokio::select! {
            ended = conn.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
                return;
            }
            () = stopped(&mut stop), if !ending => {
                ending = true;
                conn.as_mut().graceful_shutdown();
            }
            () = watchdog.as_mut() => match activity.next_check(&limits) {
                Check::At(instant) => watchdog.as_mut().reset(instant),
                Check::Idle if !ending => {
                    ending = true;
                    conn.as_mut().graceful_shutdown();
                    watchdog.as_mut().reset(Instant::now() + limits.drain_time);
                }
                // It does not even end in time, or waits for an answer that does not come.
                Check::Idle | Check::Stuck => return,
            },
        }
    }
}

fn builder(limits: &crate::Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // `Strict` holds heads back and times them.
        .header_read_timeout(None)
        .max_buf_size(limits.head_bytes.max(8192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.streams)
        .max_send_buf_size(256 * 1024)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}

/// How many connections each address holds.
#[derive(Default)]
struct Crowd(Mutex<HashMap<IpAddr, usize>>);

/// A place in the crowd, given back on drop.
struct Place(Arc<Crowd>, IpAddr);

impl Crowd {
    fn enter(self: &Arc<Self>, address: IpAddr, limit: usize) -> Option<Place> {
        let mut counts = self.0.lock();
        let count = counts.entry(address).or_insert(0);
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Place(Arc::clone(self), address))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.0.0.lock();
        if let Some(count) = counts.get_mut(&self.1) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}

/// What one connection is doing.
struct Activity {
    busy: AtomicU32,
    /// When the number of requests on their way last changed.
    since: Mutex<Instant>,
}

struct Busy(Arc<Activity>);

enum Check {
    At(Instant),
    Idle,
    Stuck,
}

impl Activity {
    fn new() -> Self {
        Self { busy: AtomicU32::new(0), since: Mutex::new(Instant::now()) }
    }

    fn begin(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        *self.since.lock() = Instant::now();
        Busy(Arc::clone(self))
    }

    fn next_check(&self, limits: &crate::Limits) -> Check {
        let idle = self.busy.load(Ordering::Relaxed) == 0;
        let limit = if idle { limits.idle_time } else { limits.stuck_time };
        let due = *self.since.lock() + limit;
        match due > Instant::now() {
            true => Check::At(due),
            false if idle => Check::Idle,
            false => Check::Stuck,
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
        *self.0.since.lock() = Instant::now();
    }
}
