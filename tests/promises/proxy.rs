//! A network between a client and a server that fails when a test demands it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Bytes of a response that pass at a time while the network is slow.
const SLOW_BYTES: usize = 16 * 1024;
/// Pause between two such portions.
const SLOW_PAUSE: Duration = Duration::from_millis(20);

/// Forwards connections to a server. When dropped, it cuts all connections.
pub(crate) struct Proxy {
    /// The address that clients connect to.
    pub(crate) address: SocketAddr,
    /// The faults to apply to the traffic.
    faults: Arc<Faults>,
    /// The tasks that accept and forward connections.
    _tasks: JoinSet<()>,
}

struct Faults {
    /// The server that new connections lead to.
    server: Mutex<(String, u16)>,
    /// The next response of the server is lost, and its connection is cut.
    lose_next_answer: AtomicBool,
    /// The next response of the server is lost, and its connection stays open.
    swallow_next_answer: AtomicBool,
    /// Nothing passes in either direction, and connections stay open.
    black_hole: AtomicBool,
    /// Nothing passes on connections with lower numbers, which stay open.
    silent_before: AtomicU64,
    /// Nothing passes on connections that are accepted from now on.
    mute_new: AtomicBool,
    /// Responses pass in small portions.
    slow: AtomicBool,
    /// The number of response bytes after which a connection is cut in the middle of a response; 0 for none.
    cut_at: AtomicU64,
    /// The number of lost responses.
    lost: AtomicU64,
    /// The number of accepted connections.
    accepted: AtomicU64,
    /// The number of response bytes that passed.
    answered_bytes: AtomicU64,
}

impl Proxy {
    pub(crate) async fn in_front_of(server: (String, u16)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let faults = Arc::new(Faults {
            server: Mutex::new(server),
            lose_next_answer: AtomicBool::default(),
            swallow_next_answer: AtomicBool::default(),
            black_hole: AtomicBool::default(),
            silent_before: AtomicU64::default(),
            mute_new: AtomicBool::default(),
            slow: AtomicBool::default(),
            cut_at: AtomicU64::default(),
            lost: AtomicU64::default(),
            accepted: AtomicU64::default(),
            answered_bytes: AtomicU64::default(),
        });
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&faults);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let number = shared.accepted.fetch_add(1, Ordering::SeqCst);
                if let Ok(server) = TcpStream::connect(shared.server()).await {
                    connections.spawn(carry(client, server, number, Arc::clone(&shared)));
                }
            }
        });
        Self {
            address,
            faults,
            _tasks: tasks,
        }
    }

    /// Forwards the next request to the server, and cuts the connection when the response arrives.
    pub(crate) fn lose_next_answer(&self) {
        self.faults.lose_next_answer.store(true, Ordering::SeqCst);
    }

    /// Forwards the next request to the server, and drops the response and everything later on this connection.
    pub(crate) fn swallow_next_answer(&self) {
        self.faults
            .swallow_next_answer
            .store(true, Ordering::SeqCst);
    }

    /// Cuts a connection, once, after the server has sent so many more bytes over all connections.
    pub(crate) fn cut_after(&self, bytes: u64) {
        let cut_at = self.answered_bytes() + bytes;
        self.faults.cut_at.store(cut_at, Ordering::SeqCst);
    }

    pub(crate) fn lost_answers(&self) -> u64 {
        self.faults.lost.load(Ordering::SeqCst)
    }

    /// Returns the number of bytes that the server has sent.
    pub(crate) fn answered_bytes(&self) -> u64 {
        self.faults.answered_bytes.load(Ordering::SeqCst)
    }

    /// Drops everything from now on, or ends that.
    pub(crate) fn black_hole(&self, on: bool) {
        self.faults.black_hole.store(on, Ordering::SeqCst);
    }

    /// Drops everything on the connections that exist now. Later connections work.
    pub(crate) fn silence_all(&self) {
        let accepted = self.connections();
        self.faults.silent_before.store(accepted, Ordering::SeqCst);
    }

    /// Accepts connections from now on but drops everything on them, or ends that.
    pub(crate) fn mute_new(&self, on: bool) {
        self.faults.mute_new.store(on, Ordering::SeqCst);
    }

    /// Forwards responses in small portions, or ends that.
    pub(crate) fn slow(&self, on: bool) {
        self.faults.slow.store(on, Ordering::SeqCst);
    }

    /// Leads new connections to another server; existing ones stay.
    pub(crate) fn lead_to(&self, server: (String, u16)) {
        let leads_to = self.faults.server.lock();
        *leads_to.unwrap_or_else(PoisonError::into_inner) = server;
    }

    /// Returns the number of connections accepted so far.
    pub(crate) fn connections(&self) -> u64 {
        self.faults.accepted.load(Ordering::SeqCst)
    }
}

impl Faults {
    fn server(&self) -> (String, u16) {
        let server = self.server.lock();
        server.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns `true` once after the number of bytes at which a connection is to be cut.
    fn cuts_at(&self, answered: u64) -> bool {
        let cut = self
            .cut_at
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |cut_at| {
                (cut_at > 0 && answered >= cut_at).then_some(0)
            });
        cut.is_ok()
    }

    fn swallows(&self, number: u64) -> bool {
        self.black_hole.load(Ordering::SeqCst) || number < self.silent_before.load(Ordering::SeqCst)
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, number: u64, faults: Arc<Faults>) {
    let mut silent = faults.mute_new.load(Ordering::SeqCst);
    let mut request = vec![0; 64 * 1024];
    let mut answer = vec![0; 64 * 1024];
    loop {
        let part = if faults.slow.load(Ordering::SeqCst) {
            SLOW_BYTES
        } else {
            answer.len()
        };
        tokio::select! {
            read = client.read(&mut request) => {
                let Ok(length @ 1..) = read else { return };
                if silent || faults.swallows(number) {
                    continue;
                }
                if server.write_all(&request[..length]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answer[..part]) => {
                let Ok(length @ 1..) = read else {
                    // A client to which nothing is forwarded does not see the end of the connection either.
                    if silent || faults.swallows(number) {
                        std::future::pending::<()>().await;
                    }
                    return;
                };
                if silent || faults.swallows(number) {
                    continue;
                }
                if faults.lose_next_answer.swap(false, Ordering::SeqCst) {
                    faults.lost.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                if faults.swallow_next_answer.swap(false, Ordering::SeqCst) {
                    faults.lost.fetch_add(1, Ordering::SeqCst);
                    silent = true;
                    continue;
                }
                let before = faults.answered_bytes.fetch_add(length as u64, Ordering::SeqCst);
                if faults.cuts_at(before + length as u64) {
                    faults.lost.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                if client.write_all(&answer[..length]).await.is_err() {
                    return;
                }
                if part == SLOW_BYTES {
                    tokio::time::sleep(SLOW_PAUSE).await;
                }
            }
        }
    }
}
