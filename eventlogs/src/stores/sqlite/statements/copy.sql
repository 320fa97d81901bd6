-- Copies the database into an empty file.
--
-- ?1 text  path of that file

vacuum into ?1
