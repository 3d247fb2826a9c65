-- The logins of the distributed form, on a new server, by a superuser, with psql:
-- `pulse_migrate` changes tables, `pulse_serve` serves. Neither is a superuser. What serves can become the roles that
-- row-level security binds, and, once `pulse migrate up` has made it, pulse_privacy, which is not bound and may read and
-- change what belongs to persons alone. The passwords are the variables migrate_password and serve_password.

CREATE EXTENSION IF NOT EXISTS vector;

-- BYPASSRLS, because who hands it on to pulse_lookup must have it.
CREATE ROLE pulse_migrate LOGIN CREATEROLE BYPASSRLS PASSWORD :'migrate_password';
CREATE ROLE pulse_serve LOGIN NOINHERIT PASSWORD :'serve_password';

-- `pulse migrate up` makes these, too, where they are missing. Here they must be before it, so that pulse_serve can
-- become them.
CREATE ROLE pulse_owner NOLOGIN NOINHERIT;
CREATE ROLE pulse_app NOLOGIN NOINHERIT;
CREATE ROLE pulse_system NOLOGIN NOINHERIT;
CREATE ROLE pulse_maintenance NOLOGIN NOINHERIT;
CREATE ROLE pulse_readonly NOLOGIN NOINHERIT;
CREATE ROLE pulse_lookup NOLOGIN NOINHERIT BYPASSRLS;

GRANT pulse_owner, pulse_app, pulse_system, pulse_maintenance, pulse_readonly, pulse_lookup TO pulse_migrate
    WITH ADMIN TRUE, INHERIT FALSE, SET TRUE;
GRANT pulse_app, pulse_system, pulse_maintenance TO pulse_serve WITH INHERIT FALSE, SET TRUE;

SELECT format('ALTER DATABASE %I OWNER TO pulse_migrate', current_database()) \gexec
