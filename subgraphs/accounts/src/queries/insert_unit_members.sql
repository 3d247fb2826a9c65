-- $1 organization, $2 unit, $3 people, $4 now. Who belongs to it already is left as it is. Each time is under a later version
-- than all before, of this unit and of others.
INSERT INTO accounts.unit_members (org_id, unit, user_id, added_at, version)
SELECT $1, $2, person.id, $4,
       2 + greatest(-1,
           (SELECT max(m.version) FROM accounts.unit_members m WHERE m.org_id = $1 AND m.user_id = person.id),
           (SELECT max(h.version) FROM accounts.history h
             WHERE h.org_id = $1 AND h.subject = 'accounts.unit_member' AND h.id = person.id))
  FROM unnest($3::uuid[]) AS person (id)
ON CONFLICT DO NOTHING
RETURNING unit, user_id, version, added_at
