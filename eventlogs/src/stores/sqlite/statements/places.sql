-- Looks up the places that appends need, before a batch writes anything.
--
-- Values, one row per append; a row of nulls is skipped:
-- ?1 integer  number of the append
-- ?2 blob     its log
-- ?3 integer  index of its first event
-- ?4 blob     id of the event before that, as the caller saw it; null if any event will do
-- ?5 blob     scope of the key, or null
-- ?6 blob     the key, or null
--
-- Returns one row per append:
-- append                number of the append
-- is_free               true if the index is free and the event before it is the one that the caller saw
-- key_is_new            true if there is no key, or the key has not been used
-- previous_recorded_at  when the event before the index was recorded, or null
-- kind                  number of that event's kind, or null

select v.column1 as append,
       (v.column3 = 0 or (p.event_id is not null and (v.column4 is null or p.event_id = v.column4)))
       and not exists (select 1 from events t where t.log_id = v.column2 and t.event_index = v.column3) as is_free,
       v.column6 is null
       or not exists (select 1 from idempotency_keys k where k.scope = v.column5 and k.key = v.column6) as key_is_new,
       p.recorded_at as previous_recorded_at,
       p.kind as kind
from (values (?, ?, ?, ?, ?, ?)) v
left join events p on p.log_id = v.column2 and p.event_index = v.column3 - 1
where v.column1 is not null
