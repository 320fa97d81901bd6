-- Finds the last key of a stretch of keys, in the order of scope and key.
--
-- ?1 blob     scope of the key after which the stretch begins
-- ?2 blob     that key
-- ?3 integer  number of writes in a stretch
--
-- Returns one row, or none if fewer writes follow:
-- scope, key

select scope, key
from idempotency_keys
where (scope, key) > (?1, ?2) and part = 0
order by scope, key
limit 1 offset ?3 - 1
