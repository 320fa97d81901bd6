-- Finds the columns of a table of rows.
--
-- ?1 text  name of the table
--
-- Returns one row per column:
-- name
-- type  as declared
-- is_generated
-- is_required  whether an insert must give it a value
-- is_key  whether a unique index makes it a key

select c.name as name,
    c.type as type,
    c.hidden in (2, 3) as is_generated,
    c."notnull" = 1 and c.dflt_value is null and c.pk = 0 and c.hidden = 0 as is_required,
    (c.pk = 1 and (select count(*) from pragma_table_xinfo(?1) k where k.pk > 0) = 1)
        or exists (
            select 1 from pragma_index_list(?1) l
            where l."unique" = 1 and l.partial = 0
                and (select count(*) from pragma_index_info(l.name)) = 1
                and (select i.name from pragma_index_info(l.name) i) = c.name
        ) as is_key
from pragma_table_xinfo(?1) c
