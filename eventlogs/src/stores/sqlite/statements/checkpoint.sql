-- Takes what is in the write-ahead log into the database, as far as no reader is in the way.
--
-- Returns one row, which nobody reads:
-- busy, log, checkpointed

pragma wal_checkpoint(passive)
