//! Opens connections.

use crate::stores::error::open::OpenError;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::connection;
use crate::stores::sqlite::error;
use crate::stores::sqlite::file;
use crate::stores::sqlite::file::{DatabaseFile, Marks};
use crate::stores::sqlite::options::SqliteOptions;
use crate::time_box;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

/// The settings with which the connections of a file are opened.
pub(super) struct Opener {
    /// The file, as an absolute path.
    pub(super) path: PathBuf,
    /// The settings of the connection that writes; `None` if the store only reads.
    writer: Option<SqliteConnectOptions>,
    /// The settings of the connections that read.
    reader: SqliteConnectOptions,
    /// The number of connections that read.
    readers: u32,
    /// How long to wait for locks.
    busy_timeout: Duration,
}

/// Connections that were opened together.
pub(super) struct Opened {
    /// The one that writes, if there is one.
    pub(super) writer: Option<SqliteConnection>,
    /// Those that read.
    pub(super) readers: SqlitePool,
    /// The files that they have open.
    pub(super) file: DatabaseFile,
    /// The files as they were when they were opened.
    pub(super) marks: Marks,
}

impl Opener {
    pub(super) fn to_write(path: PathBuf, options: &SqliteOptions) -> Self {
        Self {
            writer: Some(connection::writer(&path, options)),
            reader: connection::reader(&path, options),
            readers: options.readers,
            busy_timeout: options.busy_timeout,
            path,
        }
    }

    pub(super) fn to_read(path: PathBuf, options: &SqliteOptions) -> Self {
        Self {
            writer: None,
            reader: connection::read_only(&path, options),
            readers: options.readers,
            busy_timeout: options.busy_timeout,
            path,
        }
    }

    /// Opens the connections. If there is no file, it creates one only if `create` is true.
    pub(super) async fn open(&self, create: bool) -> Result<Opened, OpenError> {
        let before = DatabaseFile::find(self.path.clone()).and_then(|file| file.marks(false));
        if self.writer.is_some() {
            file::refuse_several_names(&self.path)?;
        }
        let writer = match &self.writer {
            Some(options) => Some(
                self.connect(&options.clone().create_if_missing(create))
                    .await?,
            ),
            None => None,
        };
        let (readers, frozen) = match &writer {
            Some(_) => (
                connection::readers(self.readers).connect_lazy_with(self.reader.clone()),
                false,
            ),
            None => self.open_readers().await?,
        };
        let cannot_open = |error: std::io::Error| OpenError::CannotOpen {
            path: self.path.clone(),
            advice: "",
            source: error.into(),
        };
        let file = DatabaseFile::find(self.path.clone()).map_err(cannot_open)?;
        let marks = file.marks(frozen).map_err(cannot_open)?;
        if before.is_ok_and(|before| !before.same_database(&marks)) {
            let replaced =
                std::io::Error::other("another file was put at the path while it was being opened");
            return Err(file.replaced(replaced).into());
        }
        Ok(Opened {
            writer,
            readers,
            file,
            marks,
        })
    }

    /// Opens a new writing connection in place of one that was lost.
    pub(super) async fn writer(&self) -> Result<Option<SqliteConnection>, OpenError> {
        match &self.writer {
            Some(options) => self.connect(options).await.map(Some),
            None => Ok(None),
        }
    }

    /// Opens a connection that only reads the existing file, but may write a copy of it.
    pub(super) async fn copier(&self, frozen: bool) -> Result<SqliteConnection, OpenError> {
        let options = self.reader.clone().pragma("query_only", "off");
        self.connect(&options.immutable(frozen)).await
    }

    /// Opens the connections of a store that only reads. The flag is `true` if they treat the file as one that does not change.
    async fn open_readers(&self) -> Result<(SqlitePool, bool), OpenError> {
        let readers = connection::readers(self.readers).connect_lazy_with(self.reader.clone());
        let failed = match connection::try_out(&readers).await {
            Ok(()) => return Ok((readers, false)),
            Err(error) => error,
        };
        // To read a log, SQLite needs its index, and it cannot create one in a folder that it may not write to. If there is no
        // log, and no program that may write to the folder is at work, the file can be read without an index.
        let file = DatabaseFile::find(self.path.clone());
        let is_archive = error::cannot_make_log(&failed)
            && file.is_ok_and(|file| file.has_no_log())
            && !file::can_write(file::folder(&self.path));
        if !is_archive {
            return Err(error::into_open_error(&self.path, failed));
        }
        let readers = connection::readers(self.readers)
            .connect_lazy_with(self.reader.clone().immutable(true));
        match connection::try_out(&readers).await {
            Ok(()) => Ok((readers, true)),
            Err(error) => Err(error::into_open_error(&self.path, error)),
        }
    }

    async fn connect(
        &self,
        settings: &SqliteConnectOptions,
    ) -> Result<SqliteConnection, OpenError> {
        let give_up = time_box::end_after(self.busy_timeout);
        loop {
            let error = match connection::connect(settings).await {
                Ok(connection) => return Ok(connection),
                Err(error) => error,
            };
            // The connection that gives a file its write-ahead log reads first. SQLite lets no connection that reads wait for
            // one that writes: two of them would wait for each other.
            if !error::is_locked(&error) || Instant::now() >= give_up {
                return Err(error::into_open_error(&self.path, error));
            }
            let pause = Duration::from_micros(fastrand::u64(500..10_000));
            tokio::time::sleep_until(give_up.min(Instant::now() + pause)).await;
        }
    }
}

/// Opens the only connection of a database in memory.
pub(super) async fn in_memory(options: &SqliteOptions) -> Result<SqlitePool, StoreError> {
    // A call whose future was dropped may have left a transaction open.
    connection::readers(1)
        .after_release(|connection, _| {
            Box::pin(async move {
                connection::roll_back(connection).await;
                Ok(true)
            })
        })
        .connect_with(connection::memory(options))
        .await
        .map_err(error::into_store_error)
}
