-- Begins a new epoch in a copy: its positions and transaction numbers are not those that the original gives out from
-- now on.

update meta set epoch = epoch + 1
