-- Stores keys that are known to be new.
--
-- Values, one row per key and log; a row of nulls is skipped:
-- ?1 blob     scope of the key
-- ?2 blob     the key
-- ?3 integer  number of the row among those of the key, from 0
-- ?4 blob     log
-- ?5 integer  index of the first event
-- ?6 integer  number of events
-- ?7 blob     id of the last event
-- ?8 blob     digest of the request, or null
-- ?9 integer  recorded time
-- ?10 integer number of the log's kind

insert into idempotency_keys (scope, key, part, log_id, first_index, event_count, event_id, request_hash, recorded_at, kind)
select v.*
from (values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) v
where v.column1 is not null
