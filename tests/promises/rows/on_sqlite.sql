create table accounts (
    id text primary key, holder text not null, balance integer not null, tags text not null, address text,
    vip integer not null, ratio real not null, standing text not null, events integer not null,
    closed boolean not null, through integer, doubled integer generated always as (balance * 2) stored
);
