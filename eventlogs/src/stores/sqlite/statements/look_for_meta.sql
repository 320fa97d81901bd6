-- Checks whether the file has tables of this store.
--
-- Returns one row:
-- is_ours  true if there is a table `meta` with our columns; one with other columns belongs to another program

select count(*) = 2 as is_ours
from pragma_table_info('meta')
where name in ('schema_version', 'epoch')
