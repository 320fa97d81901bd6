-- Commits a transaction. It returns once the transaction survives a power cut.

commit
