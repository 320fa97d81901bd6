-- Reads the values that all rows of a transaction share.
--
-- Returns one row:
-- epoch  the epoch of the database
-- tx     the number of the transaction: the first position that it can give out

select (select epoch from meta where id = 1) as epoch,
       (select coalesce(max(position), 0) + 1 from events) as tx
