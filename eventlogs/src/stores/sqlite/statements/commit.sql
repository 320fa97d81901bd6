-- Ends a transaction. It returns once the transaction would survive a power cut.

commit
