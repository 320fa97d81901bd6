-- Pauses or continues a subscription.
--
-- ?1 text     name
-- ?2 integer  build
-- ?3 integer  whether it is paused

update subscriptions set is_paused = ?3 where name = ?1 and build = ?2
