//! The bookmark of an import: reads and writes the log of `import_log.rs`.

use crate::git::ObjectId;
use crate::import::ImportError;
use crate::import_log::{Import, ImportEvent, import_id};
use eventlogs::ids::LogId;
use eventlogs::{DecideError, DecideOptions, LogManager, LogManagerError};

/// Another run moved the bookmark.
#[derive(Debug, thiserror::Error)]
#[error("another run imports into this database at the same time; let it finish, then run again")]
pub(crate) struct AnotherRun;

/// The progress of the import. Of two runs at the same time, only one can move it.
#[derive(Debug)]
pub(crate) struct Bookmark {
    /// The manager of the bookmark's log.
    imports: LogManager<Import>,
    /// The progress, as this run last saw it.
    import: Import,
}

impl Bookmark {
    /// Reads how far earlier runs came.
    pub(crate) async fn find(imports: &LogManager<Import>) -> Result<Self, ImportError> {
        let import = match imports.reduce(&import_id()).await {
            Ok(aggregation) => aggregation.into_aggregate(),
            // The first run in this database.
            Err(LogManagerError::LogNotFound { .. }) => Import::default(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            imports: imports.clone(),
            import,
        })
    }

    /// Returns the progress of the import.
    pub(crate) const fn import(&self) -> &Import {
        &self.import
    }

    /// Returns the progress at the end of the import.
    pub(crate) fn into_import(self) -> Import {
        self.import
    }

    /// Records that events of the commits up to this one are about to be written.
    pub(crate) async fn begin(&mut self, through: ObjectId) -> Result<(), ImportError> {
        self.record(&[ImportEvent::Begun { through }]).await
    }

    /// Records that all events of the portion are written, and which lives began in it.
    pub(crate) async fn finish(&mut self, commits: u64, born: &[LogId]) -> Result<(), ImportError> {
        self.record(&ImportEvent::finish(commits, born)).await
    }

    /// Records events, if no other run has moved the bookmark.
    async fn record(&mut self, events: &[ImportEvent]) -> Result<(), ImportError> {
        let options = DecideOptions {
            create_if_missing: true,
            ..Default::default()
        };
        let known = &self.import;
        let decide = |import: &Import| {
            if import == known {
                Ok(events.to_vec())
            } else {
                Err(AnotherRun)
            }
        };
        self.import = match self.imports.decide(&import_id(), &options, decide).await {
            Ok(decided) => decided.into_aggregation().into_aggregate(),
            Err(DecideError::Refused(reason)) => return Err(reason.into()),
            Err(error) => return Err(ImportError::Bookmark(error)),
        };
        Ok(())
    }
}
