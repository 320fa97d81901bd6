-- Rolls a transaction back. Nothing of it is stored.

rollback
