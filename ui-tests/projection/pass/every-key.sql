create table captured (id int);
