//! A network between a client and a server that fails when a test says so.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Stands in front of a server. Dropped, it cuts all connections.
pub(crate) struct Proxy {
    /// Where clients connect.
    pub(crate) address: SocketAddr,
    /// What to do with the traffic.
    faults: Arc<Faults>,
    /// Accepts connections and carries them.
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Faults {
    /// The next answer of the server is lost, and its connection with it.
    lose_next_answer: AtomicBool,
    /// Nothing gets through in either direction, and nobody is told.
    black_hole: AtomicBool,
    /// How many answers were lost.
    lost: AtomicU64,
    /// How many bytes of answers were let through.
    answered_bytes: AtomicU64,
}

impl Proxy {
    pub(crate) async fn in_front_of(server: (String, u16)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let faults = Arc::new(Faults::default());
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&faults);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                if let Ok(server) = TcpStream::connect(server.clone()).await {
                    connections.spawn(carry(client, server, Arc::clone(&shared)));
                }
            }
        });
        Self {
            address,
            faults,
            _tasks: tasks,
        }
    }

    /// Lets the next request through to the server, and cuts the connection when it answers.
    pub(crate) fn lose_next_answer(&self) {
        self.faults.lose_next_answer.store(true, Ordering::SeqCst);
    }

    pub(crate) fn lost_answers(&self) -> u64 {
        self.faults.lost.load(Ordering::SeqCst)
    }

    /// How many bytes the server has answered.
    pub(crate) fn answered_bytes(&self) -> u64 {
        self.faults.answered_bytes.load(Ordering::SeqCst)
    }

    /// Swallows everything from now on, or no more.
    pub(crate) fn black_hole(&self, on: bool) {
        self.faults.black_hole.store(on, Ordering::SeqCst);
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, faults: Arc<Faults>) {
    let mut request = vec![0; 64 * 1024];
    let mut answer = vec![0; 64 * 1024];
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let Ok(length @ 1..) = read else { return };
                if faults.black_hole.load(Ordering::SeqCst) {
                    continue;
                }
                if server.write_all(&request[..length]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answer) => {
                let Ok(length @ 1..) = read else { return };
                if faults.black_hole.load(Ordering::SeqCst) {
                    continue;
                }
                if faults.lose_next_answer.swap(false, Ordering::SeqCst) {
                    faults.lost.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                faults.answered_bytes.fetch_add(length as u64, Ordering::SeqCst);
                if client.write_all(&answer[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
