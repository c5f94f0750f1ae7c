//! Logs: structured, to standard error, without bodies, authorization headers or tokens.

use std::io::{IsTerminal, stderr};

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::settings::LogFormat;

/// Libraries that would log what clients send are never heard below this level.
const QUIET: &[&str] = &["h2=info", "hyper=info", "hyper_util=info", "rustls=info"];
/// Of a panic's words no more goes to the log.
const MAX_PANIC: usize = 500;

/// Starts logging. Once in a process; the filter is checked here.
pub(crate) fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let mut filter = EnvFilter::builder()
        .parse(filter)
        .with_context(|| format!("`{filter}` is no log filter: try `info` or `debug`"))?;
    for rule in QUIET {
        filter = filter.add_directive(rule.parse()?);
    }
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let started = match format {
        LogFormat::Text => builder.with_ansi(stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot start: {error}"))
}

/// Sends panics to the log, and counts them (G10).
pub(crate) fn catch_panics() {
    std::panic::set_hook(Box::new(|panic| {
        metrics::counter!("bailiwick_panics_total").increment(1);
        let words = panic.payload_as_str().unwrap_or("(no words)");
        let words: String = words.chars().take(MAX_PANIC).collect();
        let place = panic.location().map(ToString::to_string);
        tracing::error!(?words, place, "panic");
    }));
}
