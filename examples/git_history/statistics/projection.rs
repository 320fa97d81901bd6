//! The projection that counts the changes of each file, for both databases.

use crate::file_life::{Edit, FileEvent};
use crate::git::GitPath;
use eventlogs::sqlx::{self, AssertSqlSafe, PgConnection, SqlSafeStr, SqlStr, SqliteConnection};
use eventlogs::{EventRecord, FeedRecord, Projection, event_handler};

/// The statements of the handlers.
#[derive(Debug)]
pub(super) struct Statements {
    /// Begins a life.
    add: SqlStr,
    /// Counts a change, and notes the new path and whether the file exists.
    change: SqlStr,
    /// Notes an author.
    author: SqlStr,
}

impl Statements {
    /// Makes the statements. `schema` is empty, or a schema and a dot.
    ///
    /// On PostgreSQL, a projection with `create` has a schema of its own name. Here one server holds many repositories, each in
    /// its own schema, so the tables are next to the events of their repository, and the statements name that schema.
    pub(super) fn new(schema: &str) -> Self {
        let statement = |text: String| AssertSqlSafe(text).into_sql_str();
        Self {
            add: statement(format!(
                "insert into {schema}file_lives (log_id, path, is_alive, events, added, removed, born_at)
                 values ($1, $2, true, 1, $3, $4, $5)"
            )),
            change: statement(format!(
                "update {schema}file_lives set path = coalesce($2, path), is_alive = $3, events = events + 1,
                     added = added + $4, removed = removed + $5
                 where log_id = $1"
            )),
            author: statement(format!(
                "insert into {schema}file_authors (log_id, author) values ($1, $2) on conflict do nothing"
            )),
        }
    }
}

/// Declares the projection for one database. A handler names the type of its connection; everything else is the same.
macro_rules! projection {
    ($(#[$doc:meta])* $name:ident in $database:ident, over $connection:ident $(, $create:ident = $file:literal)?) => {
        $(#[$doc])*
        #[derive(Debug, Projection)]
        #[projection(
            name = "file_statistics", events(FileEvent), database = $database $(, $create = $file)?
        )]
        pub(super) struct $name {
            /// The statements.
            pub(super) statements: Statements,
        }

        #[event_handler(FileEvent)]
        impl $name {
            #[on(Added)]
            async fn add(
                &self,
                path: &GitPath,
                edit: &Edit,
                #[record] record: &FeedRecord<FileEvent>,
                #[context] db: &mut $connection,
            ) -> sqlx::Result<()> {
                let (added, removed) = lines(edit);
                let born_at = record.occurred_at().map(|time| time.timestamp_micros());
                let add = sqlx::query(self.statements.add.clone())
                    .bind(record.log_id().to_string())
                    .bind(path.as_bytes().to_vec())
                    .bind(added)
                    .bind(removed)
                    .bind(born_at);
                add.execute(&mut *db).await?;
                self.author(edit, record, db).await
            }

            #[on(Modified { edit, .. } | KindChanged { edit, .. })]
            async fn change(
                &self,
                edit: &Edit,
                #[record] record: &FeedRecord<FileEvent>,
                #[context] db: &mut $connection,
            ) -> sqlx::Result<()> {
                self.count(None, true, edit, record, db).await
            }

            #[on(Renamed)]
            async fn rename(
                &self,
                path: &GitPath,
                edit: &Edit,
                #[record] record: &FeedRecord<FileEvent>,
                #[context] db: &mut $connection,
            ) -> sqlx::Result<()> {
                self.count(Some(path), true, edit, record, db).await
            }

            #[on(Deleted)]
            async fn delete(
                &self,
                edit: &Edit,
                #[record] record: &FeedRecord<FileEvent>,
                #[context] db: &mut $connection,
            ) -> sqlx::Result<()> {
                self.count(None, false, edit, record, db).await
            }

            /// Counts a change of a life.
            async fn count(
                &self,
                path: Option<&GitPath>,
                is_alive: bool,
                edit: &Edit,
                record: &FeedRecord<FileEvent>,
                db: &mut $connection,
            ) -> sqlx::Result<()> {
                let (added, removed) = lines(edit);
                let change = sqlx::query(self.statements.change.clone())
                    .bind(record.log_id().to_string())
                    .bind(path.map(|path| path.as_bytes().to_vec()))
                    .bind(is_alive)
                    .bind(added)
                    .bind(removed);
                change.execute(&mut *db).await?;
                self.author(edit, record, db).await
            }

            /// Notes the author of a change.
            async fn author(
                &self,
                edit: &Edit,
                record: &FeedRecord<FileEvent>,
                db: &mut $connection,
            ) -> sqlx::Result<()> {
                let author = sqlx::query(self.statements.author.clone())
                    .bind(record.log_id().to_string())
                    .bind(edit.author.clone());
                author.execute(db).await?;
                Ok(())
            }
        }
    };
}

projection! {
    /// The projection in a SQLite file.
    InFile in sqlite, over SqliteConnection, create = "statistics.sql"
}

projection! {
    /// The projection on a PostgreSQL server.
    OnServer in postgres, over PgConnection
}

/// Returns the lines added and removed.
fn lines(edit: &Edit) -> (i64, i64) {
    let lines = edit.lines.unwrap_or_default();
    let number = |lines| i64::try_from(lines).unwrap_or(i64::MAX);
    (number(lines.added), number(lines.removed))
}
