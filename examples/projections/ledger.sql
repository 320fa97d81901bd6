-- The tables of the ledger. These statements suit both databases. On PostgreSQL they run in a schema with the name of the
-- projection; a SQLite file has no schemas, so the names of the tables begin with that of the ledger.

create table ledger_logs (
    log_id   text not null primary key,
    -- `orders` or `payments`.
    account  text not null,
    customer text not null,
    currency text not null
);

create index ledger_logs_of_customer on ledger_logs (customer);

create table ledger_lines (
    log_id      text   not null,
    event_index bigint not null,
    cents       bigint not null,
    primary key (log_id, event_index)
);
