-- Notes the events that the code of a subscription knows.
--
-- ?1 text     name
-- ?2 integer  build
-- ?3 text     the events

update subscriptions set known_events = ?3 where name = ?1 and build = ?2
