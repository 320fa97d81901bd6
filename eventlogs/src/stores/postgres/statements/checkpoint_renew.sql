-- Renews all leases of a process.
--
-- $1 uuid     the process
-- $2 double precision  seconds of the lease
--
-- A row that is locked is about to be renewed by its own page.

update {schema}.checkpoints c
set lease_until = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $2)
from (
    select c.name, c.build, c.partition from {schema}.checkpoints c
    where c.owner = $1
    for update skip locked
) own
where c.name = own.name and c.build = own.build and c.partition = own.partition
