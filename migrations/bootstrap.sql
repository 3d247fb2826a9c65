-- What has to be there before the first migration: roles, pgvector, schemas. Run by the connecting login before
-- every migration run, so each step looks first and writes only what is missing. Roles belong to the whole server:
-- another database may make the same ones at this moment, and the caller runs this file again when that happens.

DO $bootstrap$
DECLARE
    role record;
    schema text;
BEGIN
    FOR role IN
        SELECT * FROM (VALUES
            ('pulse_owner', false),        -- owns schemas, tables and functions, and migrates
            ('pulse_app', false),          -- serves requests, behind row-level security
            ('pulse_narrowed', false),     -- the same for callers who do not see all of their tenant's things
            ('pulse_system', false),       -- sequencer and workers: platform tables only
            ('pulse_maintenance', false),  -- partitions and vector indexes
            ('pulse_readonly', false),     -- looks, behind row-level security
            ('pulse_lookup', true),        -- owns the few functions that look before a tenant is known
            ('pulse_privacy', true)        -- exports and erases what is stored about one person, wherever it is
        ) AS wanted (name, bypasses)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role.name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT %s', role.name,
                           CASE WHEN role.bypasses THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END);
        ELSIF EXISTS (
            SELECT FROM pg_roles
            WHERE rolname = role.name AND (rolcanlogin OR rolsuper OR rolcreaterole OR rolbypassrls <> role.bypasses)
        ) THEN
            RAISE EXCEPTION 'the role % exists with other attributes than Pulse needs', role.name
                USING HINT = format('run "ALTER ROLE %I NOLOGIN NOSUPERUSER NOCREATEROLE %s" as a superuser', role.name,
                                    CASE WHEN role.bypasses THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END);
        END IF;
        -- A superuser may become any role; another login needs to be a member of each.
        IF NOT pg_has_role(current_user, role.name, 'SET') THEN
            EXECUTE format('GRANT %I TO %I WITH INHERIT FALSE, SET TRUE', role.name, current_user);
        END IF;
    END LOOP;

    -- pulse_narrowed has the rights of pulse_app, and is bound by its policies, beside its own.
    IF NOT pg_has_role('pulse_narrowed', 'pulse_app', 'USAGE') THEN
        GRANT pulse_app TO pulse_narrowed WITH INHERIT TRUE, SET FALSE;
    END IF;
    -- Whoever serves as the first serves as the second, too.
    FOR role IN
        SELECT pair.second, m.member::regrole::text AS member
          FROM (VALUES ('pulse_app', 'pulse_narrowed'), ('pulse_system', 'pulse_privacy')) AS pair (first, second)
          JOIN pg_auth_members m ON m.roleid = pair.first::regrole AND m.set_option
         WHERE NOT pg_has_role(m.member, pair.second, 'SET')
    LOOP
        EXECUTE format('GRANT %I TO %s WITH INHERIT FALSE, SET TRUE', role.second, role.member);
    END LOOP;

    -- So that a migration can hand a function over; INHERIT FALSE, so that pulse_owner gains no rights by it.
    IF NOT pg_has_role('pulse_owner', 'pulse_lookup', 'SET') THEN
        GRANT pulse_lookup TO pulse_owner WITH INHERIT FALSE, SET TRUE;
    END IF;

    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
        CREATE EXTENSION vector;
    END IF;

    FOREACH schema IN ARRAY ARRAY['pulse_migrations', 'platform', 'accounts', 'entities', 'vectors', 'analytics', 'operations', 'registry'] LOOP
        IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = schema) THEN
            EXECUTE format('CREATE SCHEMA %I AUTHORIZATION pulse_owner', schema);
        END IF;
    END LOOP;
END
$bootstrap$;

SET LOCAL ROLE pulse_owner;

DO $grants$
DECLARE
    schema text;
    role text;
BEGIN
    FOREACH schema IN ARRAY ARRAY['platform', 'accounts', 'entities', 'vectors', 'analytics', 'operations', 'registry'] LOOP
        FOREACH role IN ARRAY ARRAY['pulse_app', 'pulse_maintenance', 'pulse_readonly', 'pulse_lookup', 'pulse_privacy'] LOOP
            IF NOT has_schema_privilege(role, schema, 'USAGE') THEN
                EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', schema, role);
            END IF;
        END LOOP;
        -- PostgreSQL asks this of a function's new owner.
        IF NOT has_schema_privilege('pulse_lookup', schema, 'CREATE') THEN
            EXECUTE format('GRANT CREATE ON SCHEMA %I TO pulse_lookup', schema);
        END IF;
    END LOOP;
    IF NOT has_schema_privilege('pulse_system', 'platform', 'USAGE') THEN
        GRANT USAGE ON SCHEMA platform TO pulse_system;
    END IF;

    -- A new function is callable by everybody unless this is taken away: rights are granted one by one instead.
    IF NOT EXISTS (
        SELECT FROM pg_default_acl
        WHERE defaclrole = 'pulse_owner'::regrole AND defaclnamespace = 0 AND defaclobjtype = 'f'
    ) THEN
        ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
    END IF;
END
$grants$;

DO $record$
BEGIN
    IF to_regclass('pulse_migrations.applied') IS NULL THEN
        CREATE TABLE pulse_migrations.applied (
            owner text COLLATE "C" NOT NULL,
            version integer NOT NULL CHECK (version > 0),
            name text NOT NULL,
            sha256 text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (owner, version)
        );
        COMMENT ON TABLE pulse_migrations.applied IS 'class: platform. Which migrations this database has.';
        COMMENT ON COLUMN pulse_migrations.applied.owner IS
            '@pii(class: NONE) The folder of the migration, which is also the schema it changes.';
        COMMENT ON COLUMN pulse_migrations.applied.version IS '@pii(class: NONE) The number in the file''s name.';
        COMMENT ON COLUMN pulse_migrations.applied.name IS '@pii(class: NONE) The words in the file''s name.';
        COMMENT ON COLUMN pulse_migrations.applied.sha256 IS '@pii(class: NONE) The checksum of the file as applied.';
        COMMENT ON COLUMN pulse_migrations.applied.applied_at IS '@pii(class: NONE) When it was applied.';
    END IF;
END
$record$;

RESET ROLE;
