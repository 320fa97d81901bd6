-- The table of payments. It suits both databases, like `ledger.sql`. The names of its columns are those of the fields of the row.

create table example_payments (
    id       text   not null primary key,
    customer text   not null,
    currency text   not null,
    cents    bigint not null,
    captures bigint not null
);

create index example_payments_of_customer on example_payments (customer);
