-- Begins a new epoch in a copy: its positions and transaction numbers are not those that the original goes on to give out.

update meta set epoch = epoch + 1
