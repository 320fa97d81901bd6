-- Asks whether the tables belong to this server. Sent on each new connection, in one message without parameters.
--
-- Returns one row:
-- is_at_home

select meta.system_identifier in (0, control.system_identifier) as is_at_home
from {schema}.meta, pg_catalog.pg_control_system() control
