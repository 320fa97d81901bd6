//! The database for the logs, which is chosen at run time.

use crate::git::Repository;
use crate::import::Logs;
use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, CodeFingerprint, Event, EventStore, LogManager, LogManagerOptions,
    MemoryAggregationCache, PostgresEventStore, PostgresOptions, RedisAggregationCache,
    SqliteEventStore, TieredAggregationCache, WholeSnapshot,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::env;
use std::error::Error;
use std::fmt;
use std::path::PathBuf;

/// The address of a database for the logs of one repository.
pub(crate) enum Database {
    /// A SQLite file.
    File(PathBuf),
    /// A schema on a PostgreSQL server.
    Server {
        /// The server's address, which contains the password.
        url: String,
        /// The schema. Each repository has its own.
        schema: String,
    },
}

/// An open database.
pub(crate) enum Store {
    /// The store in a file.
    Sqlite(SqliteEventStore),
    /// The store on a server.
    Postgres(PostgresEventStore),
}

impl Database {
    /// Chooses the file that was named, else a schema on the server that the environment names, else one file per
    /// repository. That file is outside the repository, so that running the example adds nothing to it.
    pub(crate) fn choose(named: Option<PathBuf>, repository: &Repository) -> Self {
        if let Some(file) = named {
            return Self::File(file);
        }
        let git_dir = repository.git_dir();
        let id = LogId::derived("git repository", git_dir.as_bytes()).to_string();
        // Eight characters keep repositories of the same name apart.
        let id = id.get(..8).unwrap_or(&id);
        if let Ok(url) = env::var("EVENTLOGS_POSTGRES_URL") {
            let schema = format!("git_history_{id}");
            return Self::Server { url, schema };
        }
        let name = folder_name(git_dir.as_bytes());
        Self::File(env::temp_dir().join(format!("git-history-{name}-{id}.db")))
    }

    /// Opens the database, and creates it if it does not exist.
    pub(crate) async fn open(&self) -> Result<Store, Box<dyn Error>> {
        Ok(match self {
            Self::File(path) => Store::Sqlite(SqliteEventStore::open(path).await?),
            Self::Server { url, schema } => {
                let options = PostgresOptions {
                    schema: schema.clone(),
                    ..PostgresOptions::default()
                };
                let store = PostgresEventStore::connect_with(url.parse()?, options).await?;
                store.migrate().await?;
                Store::Postgres(store)
            }
        })
    }
}

/// Returns the readable part of a file name: the name of the folder that the repository is in.
fn folder_name(git_dir: &[u8]) -> String {
    let folder = git_dir.strip_suffix(b"/.git").unwrap_or(git_dir);
    let name = folder.rsplit(|&byte| byte == b'/').next();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let name = name.unwrap_or_default().iter().copied().filter(is_plain);
    name.take(40).map(char::from).collect()
}

impl fmt::Display for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Server { schema, .. } => {
                write!(formatter, "schema `{schema}` on the PostgreSQL server")
            }
        }
    }
}

impl Store {
    /// Makes the managers of the logs. Both use this store, and share its writer and its pool.
    pub(crate) async fn logs(&self) -> Result<Logs, Box<dyn Error>> {
        Ok(match self {
            Self::Sqlite(store) => Logs {
                files: manager(store.clone()).await?,
                imports: manager(store.clone()).await?,
            },
            Self::Postgres(store) => Logs {
                files: manager(store.clone()).await?,
                imports: manager(store.clone()).await?,
            },
        })
    }

    /// Waits for the writes in flight, and closes the store.
    pub(crate) async fn close(self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }
}

/// Makes a manager that caches aggregates in this process, and also in Redis if the environment names one.
async fn manager<A>(store: impl EventStore<A::Event>) -> Result<LogManager<A>, Box<dyn Error>>
where
    A: Aggregate<Event: Event> + CodeFingerprint + WholeSnapshot + Serialize + DeserializeOwned,
{
    let near = MemoryAggregationCache::default();
    let options = LogManagerOptions::default();
    Ok(match env::var("EVENTLOGS_REDIS_URL") {
        Ok(url) => {
            let far = RedisAggregationCache::connect(&url).await?;
            LogManager::new(store, TieredAggregationCache::new(near, far), options)
        }
        Err(_) => LogManager::new(store, near, options),
    })
}
