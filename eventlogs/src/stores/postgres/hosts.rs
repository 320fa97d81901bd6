//! The servers that a store may use, and the one of them that is connected to.

use crate::stores::postgres::failure::{Failure, Verdict, classify_statement};
use crate::stores::postgres::options::TargetSession;
use crate::stores::postgres::tls;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Row, SqlStr};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How connections are made.
pub(super) struct Hosts {
    /// One for each server.
    all: Vec<PgConnectOptions>,
    /// Which of them will do.
    target: TargetSession,
    /// What a new session is told, unless that is among its startup parameters.
    settings: Option<SqlStr>,
    /// What asks whether the tables belong to the server.
    is_at_home: SqlStr,
    /// The one that did the last time, and is tried first.
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

    /// Refuses a connection to a server that the tables have been moved to, and do not belong to yet: its transaction numbers
    /// say nothing about those that it would write behind. Where that cannot be asked, since there are no tables or no rights,
    /// whoever works with them will be told.
    pub(super) async fn check_home(&self, connection: &mut PgConnection) -> Result<(), Failure> {
        let is_at_home = sqlx::raw_sql(self.is_at_home.clone());
        match is_at_home.fetch_optional(connection).await {
            Ok(Some(row)) if !row.try_get::<bool, _>("is_at_home")? => Err(Failure::Elsewhere),
            Ok(_) => Ok(()),
            Err(error) if classify_statement(&error) == Verdict::Final => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Connects to the first server that will do, for as long as `patience`: where there are several, each has its share of
    /// it.
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
            // One that may pass by tells whether to try again.
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

    /// The same in a share of the time, if there are others that want one.
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

    /// Connects to a server; `None` if it is not of the kind that is wanted.
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
        // The server notices in any case.
        let _ = connection.close().await;
        Ok(None)
    }
}
