//! The servers that a store may use, and the choice of the one to connect to.

use crate::stores::postgres::failure::{Failure, Verdict, classify_statement};
use crate::stores::postgres::options::TargetSession;
use crate::stores::postgres::tls;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Row, SqlStr};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The servers, and how to connect to them.
pub(super) struct Hosts {
    /// The connect options, one per server.
    all: Vec<PgConnectOptions>,
    /// Which of the servers are acceptable.
    target: TargetSession,
    /// The settings that a new session is sent, unless they are startup parameters.
    settings: Option<SqlStr>,
    /// The statement that asks whether the tables belong to the server.
    is_at_home: SqlStr,
    /// The place of the server that was used last, which is tried first.
    last: AtomicUsize,
}

impl Hosts {
    pub(super) const fn new(
        all: Vec<PgConnectOptions>,
        target: TargetSession,
        settings: Option<SqlStr>,
        is_at_home: SqlStr,
    ) -> Self {
        Self {
            all,
            target,
            settings,
            is_at_home,
            last: AtomicUsize::new(0),
        }
    }

    /// Returns [`Failure::Elsewhere`] if the tables have been moved to this server and do not belong to it yet: its transaction
    /// numbers do not compare with those of the events that are there. If the server cannot be asked, because tables or
    /// privileges are missing, the operation that uses the tables gets the error.
    pub(super) async fn check_home(&self, connection: &mut PgConnection) -> Result<(), Failure> {
        let is_at_home = sqlx::raw_sql(self.is_at_home.clone());
        match is_at_home.fetch_optional(connection).await {
            Ok(Some(row)) if !row.try_get::<bool, _>("is_at_home")? => Err(Failure::Elsewhere),
            Ok(_) => Ok(()),
            Err(error) if classify_statement(&error) == Verdict::Final => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Connects to the first acceptable server, within `patience`; several servers share that time equally.
    pub(super) async fn connect(&self, patience: Duration) -> Result<PgConnection, Failure> {
        let servers = self.all.len();
        let share = patience / u32::try_from(servers.max(1)).unwrap_or(u32::MAX);
        let last = self.last.load(Ordering::Relaxed);
        let mut worst = None;
        let mut read_only = 0;
        for place in (last..servers).chain(0..last) {
            let Some(connect) = self.all.get(place) else {
                continue;
            };
            let failure = match self.connect_within(share, connect).await {
                Ok(Some(connection)) => {
                    self.last.store(place, Ordering::Relaxed);
                    return Ok(connection);
                }
                Ok(None) => {
                    read_only += 1;
                    continue;
                }
                Err(error) => Failure::connecting(error),
            };
            // A failure that may pass decides whether there is another attempt.
            let passes = failure.verdict() == Verdict::Ended;
            if passes || worst.is_none() {
                worst = Some(failure);
            }
        }
        Err(match worst {
            Some(failure) if read_only == 0 => failure,
            _ => Failure::NoPrimary { servers, read_only },
        })
    }

    /// Connects to a server, within its share of the time if there are other servers.
    async fn connect_within(
        &self,
        share: Duration,
        connect: &PgConnectOptions,
    ) -> Result<Option<PgConnection>, sqlx::Error> {
        if self.all.len() == 1 {
            return self.connect_to(connect).await;
        }
        let connecting = tokio::time::timeout(share, self.connect_to(connect));
        let in_time = connecting.await;
        in_time.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
    }

    /// Connects to a server. Returns `None` if the server is not of the required kind.
    async fn connect_to(
        &self,
        connect: &PgConnectOptions,
    ) -> Result<Option<PgConnection>, sqlx::Error> {
        let connecting = connect.connect().await;
        let mut connection = connecting.map_err(|error| tls::unread_file(error, connect))?;
        if let Some(settings) = &self.settings {
            let settings = sqlx::raw_sql(settings.clone());
            settings.execute(&mut connection).await?;
        }
        let question = match self.target {
            TargetSession::Any => return Ok(Some(connection)),
            TargetSession::ReadWrite => {
                "select current_setting('transaction_read_only') = 'off' as is_wanted"
            }
            TargetSession::Primary => "select not pg_catalog.pg_is_in_recovery() as is_wanted",
        };
        let row = sqlx::raw_sql(question).fetch_one(&mut connection).await?;
        if row.try_get("is_wanted")? {
            return Ok(Some(connection));
        }
        // If this fails, the server notices the end of the connection by itself.
        let _ = connection.close().await;
        Ok(None)
    }
}
