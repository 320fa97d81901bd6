-- Looks up everything that decides why appends were refused.
--
-- Values, one row per append; a row of nulls is skipped:
-- ?1 integer  number of the append
-- ?2 blob     its log
-- ?3 integer  index of its first event
-- ?4 blob     scope of the key, or null
-- ?5 blob     the key, or null
--
-- Returns one row per append, in the order of the numbers:
-- stored_event_id, stored_recorded_at      the event that is stored at the index, if there is one
-- previous_event_id                        the event before the index, if there is one
-- log_kind, log_type                       number and name of the log's kind, if the log exists
-- key_log_id, key_first_index, key_event_count,
-- key_last_event_id, key_recorded_at,
-- key_request_hash, key_kind               the write that used the key, if there is one: its first part

select own.event_id as stored_event_id,
       own.recorded_at as stored_recorded_at,
       p.event_id as previous_event_id,
       first.kind as log_kind,
       first.log_type as log_type,
       k.log_id as key_log_id,
       k.first_index as key_first_index,
       k.event_count as key_event_count,
       k.event_id as key_last_event_id,
       k.recorded_at as key_recorded_at,
       k.request_hash as key_request_hash,
       k.kind as key_kind
from (values (?, ?, ?, ?, ?)) v
left join events first on first.log_id = v.column2 and first.event_index = 0
left join events own on own.log_id = v.column2 and own.event_index = v.column3
left join events p on p.log_id = v.column2 and p.event_index = v.column3 - 1
left join idempotency_keys k on k.scope = v.column4 and k.key = v.column5
     and k.part = (select min(m.part) from idempotency_keys m where m.scope = v.column4 and m.key = v.column5)
where v.column1 is not null
order by v.column1
