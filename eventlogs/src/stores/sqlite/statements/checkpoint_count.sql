-- Notes the number of partitions of a subscription.
--
-- ?1 text     name
-- ?2 integer  build
-- ?3 integer  number of partitions

update subscriptions set partitions = ?3 where name = ?1 and build = ?2
