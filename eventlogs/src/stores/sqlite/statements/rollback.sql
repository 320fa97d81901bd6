-- Ends a transaction and stores nothing of it.

rollback
