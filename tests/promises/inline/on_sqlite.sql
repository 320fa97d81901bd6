create table tallies (
    id text primary key, requested integer not null, captured integer not null, events integer not null, through integer
);
