//! The life of a server process: open, announce, serve, and on a signal end well.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::backend::{Backend, DevKey};
use crate::banner::{self, Facts};
use crate::data_dir::Endpoint;
use crate::settings::{Home, Settings, Tls};
use crate::shell::{self, Shell};
use crate::verb::keep;
use crate::{Certificate, Control, DataDir, Operator, Site, clock, listener, metrics_page, tls};

/// A loss of power costs the events of no more than this.
const TICK: Duration = Duration::from_secs(1);

/// Opens the services for a set of settings; a development server hands in its key.
pub(crate) type Open = fn(&Settings, &str, Option<&DevKey>) -> anyhow::Result<Backend>;

/// Serves until a signal comes. A second signal ends the process at once.
pub(crate) fn run(settings: &Settings, open: Open) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let signals = Signals::new()?;
        serve(settings, open, signals).await
    });
    runtime.shutdown_timeout(TICK);
    served
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for a signal to end; on a hang-up reads the certificate again.
    async fn end(&mut self, certificate: Option<&Certificate>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => match certificate.map(Certificate::reload) {
                    None => {}
                    Some(Ok(())) => tracing::info!("certificate read again"),
                    Some(Err(error)) => {
                        tracing::error!(%error, "the certificate in use stays: the new one is no good");
                    }
                },
            }
        }
    }
}

async fn serve(settings: &Settings, open: Open, mut signals: Signals) -> anyhow::Result<()> {
    if let Home::Directory(dir) = &settings.home {
        dir.prepare()?;
    }
    // Before the state is touched: a taken port must not leave half a first start behind.
    let listener = bind(settings.listen).await?;
    let address = listener.local_addr()?;
    let metrics = match settings.metrics_listen {
        Some(metrics) => Some((bind(metrics).await?, metrics_page::start()?)),
        None => None,
    };
    let dev_key =
        if settings.dev() { Some(DevKey::choose(|name| std::env::var(name).ok())?) } else { None };
    let backend = open(settings, &url(settings, address), dev_key.as_ref())?;
    first_start(settings, &backend)?;
    let (certificate, made) = certificate(settings)?;
    let endpoint = Endpoint {
        url: url(settings, address),
        ca_bundle: match &made {
            Some(made) => Some(made.authority.canonicalize()?.display().to_string()),
            None => None,
        },
    };
    let mut site = Site::new(Arc::clone(&backend.handler));
    site.dev.clone_from(&backend.dev);
    site.limits = settings.limits.clone();
    site.proxies = settings.proxies.clone();
    site.certificate.clone_from(&certificate);

    let (stop, stopping) = watch::channel(false);
    let mut serving = tokio::spawn(listener::serve(listener, Arc::new(site), stopping.clone()));
    let metrics_address = match metrics {
        Some((listener, site)) => {
            let address = listener.local_addr()?;
            tokio::spawn(listener::serve(listener, site, stopping));
            Some(address)
        }
        None => None,
    };
    let ticking = tokio::spawn(tick(Arc::clone(&backend.operator)));
    // Whoever reads the address or the banner finds the server answering.
    let announced = match &settings.home {
        Home::Directory(dir) => Some((control(dir, &backend)?, dir.announce(&endpoint)?)),
        Home::Memory => None,
    };
    let facts = Facts {
        settings,
        endpoint: &endpoint,
        metrics: metrics_address,
        fingerprint: made.as_ref().map(|made| made.fingerprint.as_str()),
        accounts: backend.operator.accounts()?,
    };
    std::io::stderr().write_all(banner::text(&facts).as_bytes())?;
    if let Some(key) = &dev_key {
        print_dev(key, &endpoint)?;
    }

    signals.end(certificate.as_deref()).await;
    tracing::info!("stopping: a second signal ends at once");
    let _ = stop.send(true);
    drop(announced);
    tokio::select! {
        _ = &mut serving => {}
        () = signals.end(None) => anyhow::bail!("ended by a second signal"),
    }
    ticking.abort();
    let operator = Arc::clone(&backend.operator);
    tokio::task::spawn_blocking(move || operator.sync()).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Makes the first account when there is none, and keeps its credentials.
pub(crate) fn first_start(settings: &Settings, backend: &Backend) -> anyhow::Result<()> {
    let Home::Directory(dir) = &settings.home else { return Ok(()) };
    if let Some(made) = backend.operator.first_start(settings.account_id)? {
        keep(&made, "default", dir)?;
        let told = banner::first_start(&made, dir);
        std::io::stderr().write_all(told.as_bytes())?;
        return Ok(());
    }
    let accounts = backend.operator.accounts()?;
    // A first start that was killed between the account and its file leaves a key nobody has.
    if !dir.credentials().exists() {
        std::io::stderr().write_all(banner::no_credentials(&accounts, dir).as_bytes())?;
    }
    if let Some(id) = settings.account_id
        && !accounts.iter().any(|summary| summary.account == id)
    {
        anyhow::bail!(
            "`{}` holds other accounts than {id}: leave out `--account-id`, or run \
             `bailiwick account create --id {id}`",
            dir.path().display()
        );
    }
    Ok(())
}

/// Has done every second what is due then, off the threads that serve.
async fn tick(operator: Arc<dyn Operator>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let operator = Arc::clone(&operator);
        let _ = tokio::task::spawn_blocking(move || operator.tick()).await;
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

fn certificate(
    settings: &Settings,
) -> anyhow::Result<(Option<Arc<Certificate>>, Option<crate::SelfSigned>)> {
    match (&settings.tls, &settings.home) {
        (Tls::Own { cert, key }, _) => Ok((Some(Arc::new(Certificate::load(cert, key)?)), None)),
        (Tls::SelfSigned { names }, Home::Directory(dir)) => {
            let names = tls::names(settings.listen.ip(), names);
            let made = tls::self_signed(dir.path(), &names, clock::now())?;
            let certificate = Certificate::load(&made.chain, &made.key)?;
            Ok((Some(Arc::new(certificate)), Some(made)))
        }
        _ => Ok((None, None)),
    }
}

/// Opens the operator's socket and answers on it until the value is dropped.
fn control(dir: &DataDir, backend: &Backend) -> anyhow::Result<ControlTask> {
    let control = Control::open(dir)?;
    let (operator, dir) = (Arc::clone(&backend.operator), dir.clone());
    Ok(ControlTask(tokio::spawn(async move { control.serve(operator, dir).await })))
}

struct ControlTask(tokio::task::JoinHandle<()>);

impl Drop for ControlTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Where clients on this machine find the server.
pub(crate) fn url(settings: &Settings, address: SocketAddr) -> String {
    if let Some(url) = &settings.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let scheme = if settings.tls == Tls::Off { "http" } else { "https" };
    if address.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    }
}

/// The export block of a development server, on standard output for a script to read.
fn print_dev(key: &DevKey, endpoint: &Endpoint) -> anyhow::Result<()> {
    let lines = shell::lines(Shell::Sh, endpoint, key.access_key_id.as_str(), &key.secret);
    let mut out = std::io::stdout().lock();
    out.write_all(lines.as_bytes())?;
    out.flush()?;
    Ok(())
}
