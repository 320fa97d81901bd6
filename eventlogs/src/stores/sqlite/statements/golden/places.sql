select v.column1 as append,
       (v.column3 = 0 or (p.event_id is not null and (v.column4 is null or p.event_id = v.column4)))
       and not exists (select 1 from events t where t.log_id = v.column2 and t.event_index = v.column3) as is_free,
       v.column6 is null
       or not exists (select 1 from idempotency_keys k where k.scope = v.column5 and k.key = v.column6) as key_is_new,
       p.recorded_at as previous_recorded_at,
       p.kind as kind
from (values (?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?)) v
left join events p on p.log_id = v.column2 and p.event_index = v.column3 - 1
where v.column1 is not null
