-- Stores events whose places are known to be free. The order of the rows is the order of their positions.
--
-- ?1 integer  epoch
-- ?2 integer  number of the transaction
-- Values, one row per event; a row of nulls is skipped:
-- ?3 blob     log
-- ?4 integer  index
-- ?5 blob     id
-- ?6 text     stored name
-- ?7 integer  stored version
-- ?8 integer  number of the codec
-- ?9 blob     payload
-- ?10 integer the caller's time, or null
-- ?11 integer recorded time
-- ?12 text    name of the log's kind for the first event of a log, else null
-- ?13 blob    metadata, or null
-- ?14 integer number of the kind

insert into events (epoch, tx, log_id, event_index, event_id, event_type, event_version, codec, payload, occurred_at,
                    recorded_at, log_type, metadata, kind)
select ?, ?, v.*
from (values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) v
where v.column1 is not null
