create table parcels (id uuid primary key);
