//! Sessions that read and the one Write unit, over PostgreSQL.
