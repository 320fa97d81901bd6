-- Notes the events that the code of a subscription knows.
--
-- $1 text     name
-- $2 integer  build
-- $3 text     the events

update {schema}.subscriptions s set known_events = $3 where s.name = $1 and s.build = $2
