//! `/metrics` for Prometheus, on a listener of its own that is off by default and never leaves
//! loopback (H05).

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::dev::loopback_host;
use crate::{Handler, Limits, Peer, Reply, Site};

/// Seconds, from a decision in memory to a slow disk.
const SECONDS: &[f64] =
    &[0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];
const UPKEEP: Duration = Duration::from_secs(5);
const CONNECTIONS: usize = 16;

/// Starts collecting and gives the listener's rules. Once in a process.
pub(crate) fn start() -> anyhow::Result<Arc<Site>> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full("bailiwick_request_seconds".into()), SECONDS)?
        .build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).context("metrics cannot start")?;
    describe();
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            upkeep.run_upkeep();
        }
    });
    let mut site = Site::new(Arc::new(Page(handle)));
    site.limits = Limits { connections: CONNECTIONS, body_bytes: 0, ..Limits::default() };
    Ok(Arc::new(site))
}

fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_counter!("bailiwick_requests_total", "Requests by service, operation and outcome");
    describe_counter!("bailiwick_decisions_total", "Access decisions by outcome");
    describe_counter!("bailiwick_signature_failures_total", "Signatures refused, by error code");
    describe_histogram!("bailiwick_request_seconds", "From a request's body to its answer");
    describe_gauge!("bailiwick_connections", "Connections open");
    describe_counter!("bailiwick_connections_total", "Connections accepted");
    describe_counter!(
        "bailiwick_connections_refused_total",
        "Connections over their address's limit"
    );
    describe_counter!("bailiwick_received_bytes_total", "Bytes of request bodies");
    describe_counter!("bailiwick_sent_bytes_total", "Bytes of response bodies");
    describe_counter!("bailiwick_framing_refusals_total", "Requests with doubtful framing");
    describe_counter!("bailiwick_slow_heads_total", "Connections whose request head was too slow");
    describe_counter!("bailiwick_slow_bodies_total", "Requests whose body was too slow");
    describe_counter!("bailiwick_handler_failures_total", "Requests that got a bare failure");
    describe_counter!("bailiwick_panics_total", "Panics caught");
}

struct Page(PrometheusHandle);

impl Handler for Page {
    fn begin(&self, request: Request<Bytes>, _: Peer, reply: Reply) {
        let known = request.uri().path() == "/metrics" && request.method() == Method::GET;
        // A page in a browser could bind its own name to loopback.
        let local = loopback_host(request.headers().get(HOST));
        let (status, text) = match (known, local) {
            (true, true) => (StatusCode::OK, self.0.render()),
            (_, false) => (StatusCode::FORBIDDEN, String::new()),
            _ => (StatusCode::NOT_FOUND, String::new()),
        };
        let mut answer = Response::new(Bytes::from(text));
        *answer.status_mut() = status;
        let kind = HeaderValue::from_static("text/plain; version=0.0.4");
        answer.headers_mut().insert(CONTENT_TYPE, kind);
        reply(answer);
    }
}
