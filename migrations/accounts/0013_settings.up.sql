-- How a tenant and its units look and work, which features are on for whom, and what people prefer.

-- ── settings and branding ───────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE accounts.settings (
    org_id      uuid NOT NULL REFERENCES accounts.organizations,
    id          uuid NOT NULL,
    unit        uuid GENERATED ALWAYS AS (CASE WHEN id <> org_id THEN id END) STORED,
    settings    jsonb NOT NULL,
    branding    jsonb NOT NULL,
    version     bigint NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT settings_unit FOREIGN KEY (org_id, unit) REFERENCES accounts.units ON DELETE CASCADE
);
CREATE INDEX settings_of ON accounts.settings (org_id, unit);
COMMENT ON TABLE accounts.settings IS 'class: tenant. What a tenant, a sub-organization or a team sets for itself; the rest it has from above.';
COMMENT ON COLUMN accounts.settings.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN accounts.settings.id IS '@pii(class: NONE) The unit, or the tenant again for the whole of it.';
COMMENT ON COLUMN accounts.settings.unit IS '@pii(class: NONE) The unit; null for the whole tenant.';
COMMENT ON COLUMN accounts.settings.settings IS '@pii(class: NONE) Settings by name.';
COMMENT ON COLUMN accounts.settings.branding IS '@pii(class: NONE) Name, logo, theme and colours.';
COMMENT ON COLUMN accounts.settings.version IS '@pii(class: NONE) 1 at first, one more with each change.';
COMMENT ON COLUMN accounts.settings.updated_at IS '@pii(class: NONE) When this version was written.';

CREATE TABLE accounts.logos (
    org_id      uuid NOT NULL,
    id          uuid NOT NULL,
    place       uuid NOT NULL,
    media_type  text NOT NULL COLLATE "C" CHECK (media_type IN ('image/png', 'image/jpeg', 'image/webp')),
    bytes       bytea NOT NULL CHECK (length(bytes) BETWEEN 1 AND 262144),
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT logos_id UNIQUE (id),
    CONSTRAINT logos_place UNIQUE (org_id, place),
    CONSTRAINT logos_settings FOREIGN KEY (org_id, place) REFERENCES accounts.settings ON DELETE CASCADE
);
COMMENT ON TABLE accounts.logos IS 'class: tenant. Pictures that stand for a tenant or a unit. Everybody may see them.';
COMMENT ON COLUMN accounts.logos.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN accounts.logos.id IS '@pii(class: NONE) Another one for each picture, random: its address says nothing.';
COMMENT ON COLUMN accounts.logos.place IS '@pii(class: NONE) Whose it is: the unit, or the tenant.';
COMMENT ON COLUMN accounts.logos.media_type IS '@pii(class: NONE) What its first bytes say it is.';
COMMENT ON COLUMN accounts.logos.bytes IS '@pii(class: NONE) The picture.';
COMMENT ON COLUMN accounts.logos.created_at IS '@pii(class: NONE) When it was uploaded.';

-- ── features ────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE accounts.feature_flags (
    org_id       uuid NOT NULL REFERENCES accounts.organizations,
    id           uuid NOT NULL,
    key          text NOT NULL COLLATE "C" CHECK (key ~ '^[a-z][a-z0-9._-]{0,63}$'),
    description  text NOT NULL CHECK (length(description) <= 500),
    is_on        boolean NOT NULL,
    by_default   boolean NOT NULL,
    rules        jsonb NOT NULL,
    version      bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT feature_flags_key UNIQUE (org_id, key)
);
COMMENT ON TABLE accounts.feature_flags IS 'class: tenant. Features that are on for some of the tenant''s people.';
COMMENT ON COLUMN accounts.feature_flags.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN accounts.feature_flags.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN accounts.feature_flags.key IS '@pii(class: NONE) What programs call it.';
COMMENT ON COLUMN accounts.feature_flags.description IS '@pii(class: NONE) What it is for.';
COMMENT ON COLUMN accounts.feature_flags.is_on IS '@pii(class: NONE) Whether it is on for anybody.';
COMMENT ON COLUMN accounts.feature_flags.by_default IS '@pii(class: NONE) Whether it is on for those for whom no rule holds.';
COMMENT ON COLUMN accounts.feature_flags.rules IS '@pii(class: SUBJECT) For whom it is on or off: roles, units, people, and a share of all.';
COMMENT ON COLUMN accounts.feature_flags.version IS '@pii(class: NONE) 1 at first, one more with each change.';
COMMENT ON COLUMN accounts.feature_flags.created_at IS '@pii(class: NONE) When it was made.';
COMMENT ON COLUMN accounts.feature_flags.updated_at IS '@pii(class: NONE) When this version was written.';

-- ── what people prefer ──────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE accounts.preferences (
    user_id     uuid NOT NULL REFERENCES accounts.users,
    namespace   text NOT NULL COLLATE "C" CHECK (namespace ~ '^([a-z][a-z0-9._-]{0,63})?$'),
    value       jsonb NOT NULL,
    version     bigint NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (user_id, namespace)
);
COMMENT ON TABLE accounts.preferences IS 'class: person. What a person prefers, in whatever tenant it acts.';
COMMENT ON COLUMN accounts.preferences.user_id IS '@pii(class: SUBJECT) The person.';
COMMENT ON COLUMN accounts.preferences.namespace IS '@pii(class: NONE) Whose they are: a client''s, or nothing for those that all clients share.';
COMMENT ON COLUMN accounts.preferences.value IS '@pii(class: CONTENT) The preferences by name.';
COMMENT ON COLUMN accounts.preferences.version IS '@pii(class: NONE) 1 at first, one more with each change.';
COMMENT ON COLUMN accounts.preferences.updated_at IS '@pii(class: NONE) When this version was written.';

-- ── walls ───────────────────────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE accounts.settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.settings TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE (settings, branding, version, updated_at) ON accounts.settings TO pulse_app;

ALTER TABLE accounts.logos ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.logos TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON accounts.logos TO pulse_app;

ALTER TABLE accounts.feature_flags ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.feature_flags TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE (description, is_on, by_default, rules, version, updated_at), DELETE
    ON accounts.feature_flags TO pulse_app;

ALTER TABLE accounts.preferences ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY person ON accounts.preferences TO pulse_app
    USING (user_id = nullif(current_setting('pulse.user_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE (value, version, updated_at), DELETE ON accounts.preferences TO pulse_app;

-- ── what everybody may see ──────────────────────────────────────────────────────────────────────────────────────
GRANT SELECT ON accounts.settings, accounts.logos TO pulse_lookup;

-- A page to sign in at: the slug is all that is known, and how the tenant looks all that is told.
CREATE FUNCTION accounts.branding_by_slug(wanted text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.branding
      FROM accounts.organizations o
      JOIN accounts.settings s ON s.org_id = o.org_id AND s.id = o.org_id
     WHERE o.slug = wanted COLLATE "C"
$$;

CREATE FUNCTION accounts.logo_by_id(wanted uuid) RETURNS TABLE (media_type text, bytes bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.media_type, l.bytes FROM accounts.logos l WHERE l.id = wanted
$$;

REVOKE ALL ON FUNCTION accounts.branding_by_slug(text), accounts.logo_by_id(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.branding_by_slug(text), accounts.logo_by_id(uuid) TO pulse_app;
ALTER FUNCTION accounts.branding_by_slug(text) OWNER TO pulse_lookup;
ALTER FUNCTION accounts.logo_by_id(uuid) OWNER TO pulse_lookup;
