-- Pauses or continues a subscription.
--
-- $1 text     name
-- $2 integer  build
-- $3 boolean  whether it is paused

update {schema}.subscriptions s set is_paused = $3 where s.name = $1 and s.build = $2
