-- Reads the size of the database without its empty pages.
--
-- Returns one row:
-- bytes

select (page_count - freelist_count) * page_size as bytes
from pragma_page_count, pragma_freelist_count, pragma_page_size
