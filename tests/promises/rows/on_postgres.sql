create table accounts (
    id uuid primary key, holder text not null, balance bigint not null, tags text[] not null, address jsonb,
    vip boolean not null, ratio double precision not null, standing varchar(20) not null, events integer not null,
    closed boolean not null, through bigint, doubled bigint generated always as (balance * 2) stored
);
