//! The listener on real sockets, port 0, with bounds shortened so that no test waits long.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::ClockChange;
use crate::{BodyTooLarge, Dev, Handler, Limits, Peer, Reply, Site, TrustedProxies, serve};

/// Answers with what it saw: method, path, peer, body length, marker; or misbehaves on request.
#[derive(Default)]
struct Mirror {
    calls: AtomicUsize,
    held: Mutex<Vec<(Bytes, Reply)>>,
}

impl Handler for Mirror {
    fn begin(&self, request: Request<Bytes>, peer: Peer, reply: Reply) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        match request.uri().path() {
            "/panic" => panic!("canary-detail"),
            "/drop" => drop(reply),
            "/hold" => self.held.lock().push((request.into_body(), reply)),
            path => {
                let marked = request.extensions().get::<BodyTooLarge>().is_some();
                let text = format!(
                    "{} {path} {} {} {} {marked} {}",
                    request.method(),
                    peer.address,
                    peer.secure,
                    request.body().len(),
                    request.headers().get("host").map_or("-", |host| host.to_str().unwrap()),
                );
                // Before the answer: what the body took is free for the next request.
                drop(request);
                reply(Response::new(Bytes::from(text)));
            }
        }
    }
}

struct Server {
    address: SocketAddr,
    mirror: Arc<Mirror>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

async fn start(change: impl FnOnce(&mut Site)) -> Server {
    let mirror = Arc::new(Mirror::default());
    let mut site = Site::new(Arc::clone(&mirror) as Arc<dyn Handler>);
    change(&mut site);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = watch::channel(false);
    let task = tokio::spawn(serve(listener, Arc::new(site), stopping));
    Server { address, mirror, stop, task }
}

/// Sends bytes and reads until the server closes, or for two seconds without a byte.
async fn talk(address: SocketAddr, bytes: impl Into<Vec<u8>>) -> (String, bool) {
    let bytes = bytes.into();
    let talk = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        // The server may close before it has taken all.
        let _ = stream.write_all(&bytes);
        let (mut text, mut buffer, mut closed) = (Vec::new(), [0; 4096], true);
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => text.extend_from_slice(&buffer[..count]),
                Err(error) => {
                    closed = error.kind() == std::io::ErrorKind::ConnectionReset;
                    break;
                }
            }
        }
        (String::from_utf8_lossy(&text).into_owned(), closed)
    };
    tokio::task::spawn_blocking(talk).await.unwrap()
}

fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_with_a_date_and_no_server_name() {
    let server = start(|_| {}).await;
    let (text, closed) = talk(server.address, post("/a?b", "", "hello")).await;
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && closed, "{text}");
    assert!(text.ends_with("POST /a 127.0.0.1 false 5 false localhost"), "{text}");
    let text = text.to_ascii_lowercase();
    assert!(text.contains("\r\ndate: ") && !text.contains("\r\nserver:"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tm_h01_smuggling_forms_are_refused_and_closed() {
    let server = start(|_| {}).await;
    let second = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    for head in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0;x=y\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\n\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET http://other/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GARBAGE\r\n\r\n",
    ] {
        let (text, closed) = talk(server.address, format!("{head}{second}")).await;
        assert!(closed, "{head:?}: left open");
        assert!(!text.contains("/smuggled"), "{head:?}: {text}");
        assert_eq!(text.matches("HTTP/1.1 400").count(), 1, "{head:?}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tm_g04_slow_heads_and_bodies_and_idle_connections_are_cut() {
    let short = Duration::from_millis(150);
    let server = start(|site| {
        site.limits = Limits {
            head_time: short,
            body_time: short,
            idle_time: short,
            drain_time: short,
            ..Limits::default()
        };
    })
    .await;
    for (sent, expected) in [
        ("", ""),
        ("GET / HTTP/1.1\r\nHo", ""),
        ("PRI * HTTP/2.0\r\n", ""),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", "HTTP/1.1 408 "),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 "),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT", "HTTP/1.1 200 "),
    ] {
        let (text, closed) = talk(server.address, sent).await;
        assert!(closed, "{sent:?}: left open");
        assert!(text.starts_with(expected), "{sent:?}: {text}");
    }
    // An HTTP/2 connection with nothing on it is told to go.
    let mut preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    preface.extend_from_slice(&[0, 0, 0, 4, 0, 0, 0, 0, 0]);
    let (_, closed) = talk(server.address, preface).await;
    assert!(closed, "an idle HTTP/2 connection was left open");
}

#[tokio::test(flavor = "multi_thread")]
async fn tm_g04_answers_that_do_not_come_do_not_hold_connections() {
    let server = start(|site| {
        // The watchdog looks when the connection could have become idle.
        site.limits.idle_time = Duration::from_millis(100);
        site.limits.stuck_time = Duration::from_millis(100);
    })
    .await;
    let (text, closed) = talk(server.address, post("/hold", "", "")).await;
    assert!(closed && text.is_empty(), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tm_g04_connections_are_limited_each_address() {
    let server = start(|site| site.limits.connections_per_address = 1).await;
    let address = server.address;
    let first = tokio::task::spawn_blocking(move || {
        let mut first = TcpStream::connect(address).unwrap();
        first.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert!(first.read(&mut [0; 512]).unwrap() > 0);
        first
    });
    let first = first.await.unwrap();
    let (text, closed) = talk(address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(closed && text.is_empty(), "{text}");
    drop(first);
    // The place is given back once the server has seen the end.
    for _ in 0..100 {
        if talk(address, post("/", "", "")).await.0.starts_with("HTTP/1.1 200") {
            return;
        }
    }
    panic!("the place was never given back");
}

/// G05: a compressed body arrives as it was sent, to be refused by name; nothing inflates it.
#[tokio::test(flavor = "multi_thread")]
async fn tm_g05_bodies_are_never_inflated() {
    let server = start(|_| {}).await;
    let (text, _) =
        talk(server.address, post("/", "Content-Encoding: gzip\r\n", "\u{1f}bomb")).await;
    assert!(text.ends_with(" 5 false localhost"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_beyond_the_limit_are_cut_marked_and_answered() {
    let server = start(|site| {
        site.limits.body_bytes = 1000;
        site.limits.discard_bytes = 100_000;
    })
    .await;
    for (length, seen) in
        [(999, "999 false"), (1000, "1000 false"), (1001, "1000 true"), (90_000, "1000 true")]
    {
        let (text, closed) = talk(server.address, post("/", "", &"x".repeat(length))).await;
        assert!(text.contains(&format!(" false {seen} ")) && closed, "{length}: {text}");
    }
    let chunks = format!("{:x}\r\n{}\r\n0\r\n\r\n", 1200, "x".repeat(1200));
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (text, closed) = talk(server.address, format!("{head}{chunks}")).await;
    assert!(text.contains(" 1000 true ") && closed, "{text}");
    assert!(text.to_ascii_lowercase().contains("connection: close"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tm_g04_bodies_share_a_bounded_memory() {
    const FREE: usize = Limits::UNCOUNTED_BYTES;
    let server = start(|site| site.limits.buffered_bytes = 100_000).await;
    let address = server.address;
    let send = |path: &str, headers: &str, length: usize| {
        talk(address, post(path, headers, &"x".repeat(length)))
    };
    // The budget is one body's: the handler holds it, then gives it back.
    let waiting = tokio::spawn(send("/hold", "", FREE + 100_000));
    while server.mirror.held.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    let (text, closed) = send("/", "", FREE + 1).await;
    assert!(text.starts_with("HTTP/1.1 503 ") && closed, "{text}");
    assert!(text.contains("<Code>ServiceUnavailable</Code>"), "{text}");
    let (text, _) = send("/", "X-Amz-Target: A.B\r\n", FREE + 90_000).await;
    assert!(text.starts_with("HTTP/1.1 503 "), "{text}");
    assert!(text.contains("{\"__type\":\"ServiceUnavailable\"}"), "{text}");
    // Ordinary calls never touch it.
    let (text, _) = send("/", "", FREE).await;
    assert!(text.starts_with("HTTP/1.1 200 ") && text.contains(&format!(" {FREE} false ")));
    assert_eq!(server.mirror.calls.load(Ordering::SeqCst), 2);
    let (body, reply) = server.mirror.held.lock().pop().unwrap();
    reply(Response::new(Bytes::from_static(b"held")));
    assert!(waiting.await.unwrap().0.ends_with("held"));
    // The answer is out, and the body still in memory.
    assert!(send("/", "", FREE + 1).await.0.starts_with("HTTP/1.1 503 "));
    drop(body);
    for _ in 0..3 {
        let (text, _) = send("/", "", FREE + 100_000).await;
        assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    }
    // More than the budget by itself.
    assert!(send("/", "", FREE + 100_001).await.0.starts_with("HTTP/1.1 503 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn expect_100_is_answered_before_the_body_comes() {
    let server = start(|site| site.limits.body_bytes = 1000).await;
    let address = server.address;
    let fine = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let head =
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut buffer = [0; 512];
        let count = stream.read(&mut buffer).unwrap();
        assert!(buffer[..count].starts_with(b"HTTP/1.1 100 "));
        stream.write_all(b"hello").unwrap();
        let count = stream.read(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    });
    let fine = fine.await.unwrap();
    assert!(fine.contains(" 5 false "), "{fine}");
    // Too long by its own word: the client is spared sending it.
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n";
    let (text, closed) = talk(address, head).await;
    assert!(text.starts_with("HTTP/1.1 200") && text.contains(" 0 true ") && closed, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_beyond_the_limit_are_refused() {
    let server = start(|site| site.limits.head_bytes = 8192).await;
    let (text, closed) =
        talk(server.address, post("/", &format!("X: {}\r\n", "x".repeat(9000)), "")).await;
    assert!(text.starts_with("HTTP/1.1 431") && closed, "{text}");
    assert_eq!(server.mirror.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn tm_g10_a_failing_handler_costs_its_own_request_only() {
    let server = start(|_| {}).await;
    for (path, target, expected) in [
        ("/panic", "", "<Code>InternalFailure</Code><Message/>"),
        ("/drop", "", "<Code>InternalFailure</Code><Message/>"),
        ("/panic", "X-Amz-Target: A.B\r\n", "{\"__type\":\"InternalFailure\"}"),
    ] {
        let bad = format!("GET {path} HTTP/1.1\r\nHost: a\r\n{target}\r\n");
        let (text, _) = talk(server.address, format!("{bad}{}", post("/after", "", ""))).await;
        assert!(text.starts_with("HTTP/1.1 500 ") && text.contains(expected), "{text}");
        assert!(text.contains("x-amzn-requestid: ") && !text.contains("canary"), "{text}");
        assert!(text.contains("POST /after "), "the connection did not live on: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tm_h03_a_direct_client_cannot_choose_its_address() {
    let spoof = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n";
    let plain = start(|_| {}).await;
    let (text, _) = talk(plain.address, post("/", spoof, "")).await;
    assert!(text.contains("POST / 127.0.0.1 false "), "{text}");
    let trusting = start(|site| {
        site.proxies = TrustedProxies::new(vec!["127.0.0.0/8".parse().unwrap()]);
    })
    .await;
    let (text, _) = talk(trusting.address, post("/", spoof, "")).await;
    assert!(text.contains("POST / 6.6.6.6 true "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tm_h05_health_is_one_word() {
    let server = start(|_| {}).await;
    for (path, word) in [("/healthz", "ok"), ("/readyz", "ready")] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let (text, _) = talk(server.address, request).await;
        assert!(
            text.starts_with("HTTP/1.1 200") && text.ends_with(&format!("\r\n\r\n{word}")),
            "{text}"
        );
    }
    let (text, _) = talk(server.address, post("/healthz", "", "")).await;
    assert!(text.starts_with("HTTP/1.1 405"), "{text}");
    assert_eq!(server.mirror.calls.load(Ordering::SeqCst), 0);
}

#[derive(Default)]
struct Switches(AtomicUsize);

impl Dev for Switches {
    fn reset(&self) -> anyhow::Result<()> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn set_clock(&self, change: ClockChange) -> anyhow::Result<jiff::Timestamp> {
        match change {
            ClockChange::Now(instant) => Ok(instant),
            _ => anyhow::bail!("not here"),
        }
    }

    fn set_key_policy(&self, _: Option<bailiwick_model::KeyPolicy>) -> anyhow::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tm_p04_development_routes_exist_only_in_development() {
    let meant = "X-Bailiwick-Dev: true\r\n";
    let plain = start(|_| {}).await;
    for path in ["/_bailiwick/reset", "/_bailiwick/clock", "/_bailiwick/key-policy", "/_bailiwick/"]
    {
        let (text, _) = talk(plain.address, post(path, meant, "")).await;
        assert!(text.starts_with("HTTP/1.1 404"), "{path}: {text}");
    }
    assert_eq!(plain.mirror.calls.load(Ordering::SeqCst), 0);
    let switches = Arc::new(Switches::default());
    let dev = start(|site| site.dev = Some(Arc::clone(&switches) as Arc<dyn Dev>)).await;
    for (path, headers, body, expected) in [
        ("/_bailiwick/reset", "", "", 403),
        ("/_bailiwick/reset", "X-Bailiwick-Dev: true\r\nOrigin: http://localhost\r\n", "", 403),
        ("/_bailiwick/reset", meant, "", 200),
        ("/_bailiwick/clock", meant, r#"{"now":"2024-12-31T23:59:58Z"}"#, 200),
        ("/_bailiwick/clock", meant, "{}", 400),
        ("/_bailiwick/else", meant, "", 404),
    ] {
        let (text, _) = talk(dev.address, post(path, headers, body)).await;
        assert!(text.starts_with(&format!("HTTP/1.1 {expected}")), "{path} {headers:?}: {text}");
    }
    assert_eq!(switches.0.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_requests_end_and_takes_no_more() {
    let server = start(|_| {}).await;
    let waiting = tokio::spawn(talk(server.address, post("/hold", "", "")));
    while server.mirror.held.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    server.stop.send(true).unwrap();
    let address = server.address;
    let refused = move || TcpStream::connect(address).is_err();
    while !tokio::task::spawn_blocking(refused).await.unwrap() {}
    assert!(!server.task.is_finished());
    let (_, reply) = server.mirror.held.lock().pop().unwrap();
    reply(Response::new(Bytes::from_static(b"late but whole")));
    let (text, closed) = waiting.await.unwrap();
    assert!(text.ends_with("late but whole") && closed, "{text}");
    server.task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_ever() {
    let server = start(|site| site.limits.drain_time = Duration::from_millis(50)).await;
    let waiting = tokio::spawn(talk(server.address, post("/hold", "", "")));
    while server.mirror.held.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    server.stop.send(true).unwrap();
    server.task.await.unwrap();
    assert!(waiting.await.unwrap().1);
}

mod encrypted {
    use super::*;
    use crate::{Certificate, clock, tls};
    use http_body_util::{BodyExt as _, Full};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, ServerName};
    use tokio_rustls::TlsConnector;

    fn client(
        authority: &std::path::Path,
        version: &'static rustls::SupportedProtocolVersion,
    ) -> TlsConnector {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        TlsConnector::from(Arc::new(config))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn tm_l08_own_certificates_serve_http2_and_reload() {
        let base = tempfile::tempdir().unwrap();
        let data = base.path().join("data");
        let made =
            tls::self_signed(&data, &tls::names("127.0.0.1".parse().unwrap(), &[]), clock::now())
                .unwrap();
        let certificate = Arc::new(Certificate::load(&made.chain, &made.key).unwrap());
        let server = start(|site| site.certificate = Some(Arc::clone(&certificate))).await;
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            for name in ["localhost", "127.0.0.1"] {
                let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
                let name = ServerName::try_from(name).unwrap();
                let stream = client(&made.authority, version).connect(name, stream).await.unwrap();
                let io = TokioIo::new(stream);
                let (mut send, connection) =
                    hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
                tokio::spawn(connection);
                let request =
                    Request::post("https://iam.test:1/x").body(Full::new(Bytes::from("abc")));
                let answer = send.send_request(request.unwrap()).await.unwrap();
                let body = answer.into_body().collect().await.unwrap().to_bytes();
                assert_eq!(body, "POST /x 127.0.0.1 true 3 false iam.test:1");
            }
        }
        // Bad files leave the certificate in use.
        std::fs::write(&made.chain, "nonsense").unwrap();
        assert!(certificate.reload().is_err());
        let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        client(&made.authority, &rustls::version::TLS13).connect(name, stream).await.unwrap();
        // Plain HTTP gets nothing.
        let (text, closed) = talk(server.address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(closed && !text.contains("200"), "{text}");
    }

    #[test]
    fn tm_l07_certificates_are_kept_private_and_made_once() {
        use std::os::unix::fs::PermissionsExt as _;
        let base = tempfile::tempdir().unwrap();
        let data = base.path().join("data");
        let names = tls::names("10.1.2.3".parse().unwrap(), &["iam.example.org".into()]);
        let one = tls::self_signed(&data, &names, clock::now()).unwrap();
        let mode =
            |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&one.key), mode(&one.authority)), (0o600, 0o600));
        let two = tls::self_signed(&data, &names, clock::now()).unwrap();
        assert_eq!(one.fingerprint, two.fingerprint);
        let later = clock::now().checked_add(jiff::SignedDuration::from_hours(24 * 710)).unwrap();
        assert_ne!(tls::self_signed(&data, &names, later).unwrap().fingerprint, one.fingerprint);
        std::fs::set_permissions(&one.key, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Certificate::load(&one.chain, &one.key).is_err());
    }
}

mod operator {
    use super::*;
    use crate::fake::Fake;
    use crate::settings::{ServeArgs, Settings};
    use crate::{Backend, Control, DataDir, Operator, Verb, ask, banner, serving};

    fn backend(fake: &Arc<Fake>) -> Backend {
        Backend {
            handler: Arc::new(Mirror::default()),
            operator: Arc::clone(fake) as Arc<dyn Operator>,
            dev: None,
        }
    }

    #[test]
    fn tm_f10_a_first_start_writes_credentials_and_prints_none() {
        use std::os::unix::fs::PermissionsExt as _;
        let base = tempfile::tempdir().unwrap();
        let dir = DataDir::new(base.path().join("data"));
        let args = ServeArgs {
            data_dir: Some(dir.path().to_owned()),
            account_id: Some("111122223333".parse().unwrap()),
            ..ServeArgs::default()
        };
        let settings = Settings::resolve(args).unwrap();
        dir.prepare().unwrap();
        let fake = Arc::new(Fake::default());
        serving::first_start(&settings, &backend(&fake)).unwrap();
        let mode = std::fs::metadata(dir.credentials()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let text = std::fs::read_to_string(dir.credentials()).unwrap();
        for part in ["[default]\n", "111122223333", "canary-password", "canary-secret"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let second = fake.create_account(Some("444455556666".parse().unwrap()), None).unwrap();
        assert!(!banner::first_start(&second, &dir).contains("canary"));
        // A second start changes nothing; one that asks for another account is refused.
        serving::first_start(&settings, &backend(&fake)).unwrap();
        assert_eq!(text, std::fs::read_to_string(dir.credentials()).unwrap());
        // A start that finds the account and no file tells how to get in again.
        std::fs::remove_file(dir.credentials()).unwrap();
        serving::first_start(&settings, &backend(&fake)).unwrap();
        assert!(!dir.credentials().exists());
        let told = banner::no_credentials(&fake.accounts().unwrap()[..1], &dir);
        let path = dir.path().display();
        let verb = format!("bailiwick root create-key --account 111122223333 --data-dir {path}\n");
        assert!(told.starts_with("WARNING: ") && told.ends_with(&verb), "{told}");
        let other = Settings { account_id: Some("999900001111".parse().unwrap()), ..settings };
        assert!(serving::first_start(&other, &backend(&fake)).is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn verbs_travel_over_the_control_socket() {
        let base = tempfile::tempdir().unwrap();
        let dir = DataDir::new(base.path().join("data"));
        dir.prepare().unwrap();
        let fake = Arc::new(Fake::default());
        assert!(ask(&dir.socket(), &Verb::AccountList).unwrap().is_none());
        let control = Control::open(&dir).unwrap();
        let serving = {
            let (fake, dir) = (Arc::clone(&fake), dir.clone());
            tokio::spawn(async move { control.serve(fake, dir).await })
        };
        let call = |verb: Verb| {
            let socket = dir.socket();
            tokio::task::spawn_blocking(move || ask(&socket, &verb).map(Option::unwrap))
        };
        let none = call(Verb::RootCreateKey { account: None }).await.unwrap();
        assert!(none.unwrap_err().to_string().contains("bailiwick init"));
        let made = call(Verb::AccountCreate { id: None, name: None }).await.unwrap().unwrap();
        assert_eq!(made["profile"], made["account"]);
        assert!(!made.to_string().contains("canary"), "{made}");
        let root = call(Verb::RootCreateKey { account: None }).await.unwrap().unwrap();
        let profile = root["profile"].as_str().unwrap().to_owned();
        assert!(dir.profile(&profile).is_ok());
        call(Verb::RootDeleteKey { account: None }).await.unwrap().unwrap();
        assert!(dir.profile(&profile).is_err());
        let import = Verb::KeyImport {
            account: None,
            user_name: "ci".into(),
            access_key_id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
            secret: "imported-secret-value".into(),
        };
        assert!(!format!("{import:?}").contains("imported-secret-value"));
        call(import).await.unwrap().unwrap();
        assert_eq!(fake.imported.lock()[0].3, "imported-secret-value");
        let forward = |services: &[&str]| Verb::ForwardSession {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
            session_token: Some("canary-token".into()),
            services: services.iter().map(ToString::to_string).collect(),
            source_ip: None,
        };
        assert!(!format!("{:?}", forward(&[])).contains("canary-token"));
        let made = call(forward(&["a.amazonaws.com"])).await.unwrap().unwrap();
        assert_eq!(made["session_token"], "forward-token");
        assert!(call(forward(&[])).await.unwrap().is_err());
        let fixture = |name: &str| Verb::FixtureLoad { account: None, name: name.into() };
        assert_eq!(call(fixture("F1")).await.unwrap().unwrap()["profile"], "F1");
        // G10: a verb that panics fails alone.
        assert!(call(fixture("panic")).await.unwrap().is_err());
        let refused = call(Verb::Rekey).await.unwrap().unwrap_err().to_string();
        assert!(refused.contains("stop the server"), "{refused}");
        let accounts = call(Verb::AccountList).await.unwrap().unwrap();
        assert_eq!(accounts["accounts"].as_array().unwrap().len(), 1);
        let socket = dir.socket();
        let nonsense = tokio::task::spawn_blocking(move || {
            let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
            stream.write_all(b"{\"verb\":\"open-door\",\"secret\":\"canary\"}\n").unwrap();
            let mut reply = String::new();
            stream.read_to_string(&mut reply).unwrap();
            reply
        });
        let reply = nonsense.await.unwrap();
        assert!(reply.contains("failed") && !reply.contains("canary"), "{reply}");
        // Two doors: what comes as HTTP is no wish, not even with one in its body.
        let socket = dir.socket();
        let before = fake.accounts.lock().len();
        let as_http = tokio::task::spawn_blocking(move || {
            let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
            let request = post("/", "", "{\"verb\":\"account-create\"}");
            stream.write_all(request.as_bytes()).unwrap();
            let mut reply = String::new();
            let _ = stream.read_to_string(&mut reply);
            reply
        });
        let reply = as_http.await.unwrap();
        assert!(reply.contains("failed") || reply.is_empty(), "{reply}");
        assert_eq!(fake.accounts.lock().len(), before);
        serving.abort();
        let _ = serving.await;
        assert!(!dir.socket().exists());
    }
}
