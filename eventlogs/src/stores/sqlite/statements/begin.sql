-- Begins a transaction that holds the write lock.
--
-- A transaction that began with a read and then wrote would fail at once if another process was faster, whatever the busy
-- timeout. This one waits for the lock.

begin immediate
