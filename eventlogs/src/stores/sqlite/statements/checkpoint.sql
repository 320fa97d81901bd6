-- Moves the content of the write-ahead log into the database, as far as no reader prevents that.
--
-- Returns one row, which is not used:
-- busy, log, checkpointed

pragma wal_checkpoint(passive)
