//! The bare HTTP stack with a constant answer: what measurements of whole requests compare with.
//!
//! `cargo run --release -p bailiwick-server --example constant -- 127.0.0.1:4690 [bytes]`

use std::sync::Arc;

use bailiwick_server::{Constant, Limits, Site, serve};
use tokio::net::TcpListener;
use tokio::sync::watch;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:4690".into());
    let bytes = arguments.next().map_or(Ok(500), |text| text.parse())?;
    let listener = TcpListener::bind(address).await?;
    let mut site = Site::new(Arc::new(Constant(vec![b'x'; bytes].into())));
    site.limits = Limits { connections_per_address: 4096, ..Limits::default() };
    let (_stop, stopping) = watch::channel(false);
    serve(listener, Arc::new(site), stopping).await;
    Ok(())
}
