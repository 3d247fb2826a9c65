//! What is done with a table when a person is erased or exported: statements, made of nothing but its description. The person
//! is `$1` (where it is found by addresses, they are), and where it is about what one tenant has, that is `$2`.

use crate::catalog::{Class, Column, Kind, Pii, Table};

const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// Statements that erase a person from the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Erasing {
    /// By the person's id.
    pub(crate) by_id: Vec<String>,
    /// By the person's addresses.
    pub(crate) by_contact: Vec<String>,
}

/// How the table forgets a person: everywhere, or in the rows of a tenant.
pub(crate) fn erasing(table: &Table, of_tenant: bool) -> Erasing {
    let name = &table.name;
    let within = match table.tenant().filter(|_| table.class != Class::Person) {
        Some(tenant) if of_tenant => format!(" AND {} = $2", tenant.name),
        // No tenant's.
        None if of_tenant => return Erasing::default(),
        _ => String::new(),
    };
    if table.class == Class::Person {
        return Erasing { by_id: vec![format!("DELETE FROM {name} WHERE user_id = $1")], by_contact: vec![] };
    }
    let mut erasing = Erasing::default();
    let (deleting, changing): (Vec<_>, Vec<_>) = table.subjects().partition(|column| deletes(column));
    if !deleting.is_empty() {
        erasing.by_id.push(format!("DELETE FROM {name} WHERE ({}){within}", any(&deleting)));
    }
    if !changing.is_empty() {
        let about: Vec<_> = changing.iter().copied().filter(|column| column.about).collect();
        let mut sets: Vec<_> = changing.iter().map(|column| forget(column)).collect();
        if !about.is_empty() {
            let about = any(&about);
            let personal = table.columns.iter().filter(|column| is_personal(column.pii));
            sets.extend(personal.filter_map(|column| {
                let (column, empty) = (&column.name, empty(column)?);
                Some(format!("{column} = CASE WHEN {about} THEN {empty} ELSE {column} END"))
            }));
        }
        let sets = sets.join(", ");
        erasing.by_id.push(format!("UPDATE {name} SET {sets} WHERE ({}){within}", any(&changing)));
    }
    let contacts =
        table.columns.iter().filter(|column| column.pii == Pii::Contact && column.kind == Kind::Text);
    erasing.by_contact.extend(contacts.map(|Column { name: column, not_null, .. }| {
        if *not_null {
            format!("DELETE FROM {name} WHERE {column} = ANY ($1){within}")
        } else {
            format!("UPDATE {name} SET {column} = NULL WHERE {column} = ANY ($1){within}")
        }
    }));
    erasing
}

/// Statements that find the person's addresses in the table: as they are, and as history has them.
pub(crate) fn contacts(table: &Table) -> Vec<String> {
    if table.class != Class::Person {
        return Vec::new();
    }
    let name = &table.name;
    let find = |Column { name: column, pii, kind, .. }: &Column| {
        match (pii, kind) {
        (Pii::Contact, Kind::Text) => Some(format!(
            "SELECT DISTINCT {column} FROM {name} WHERE user_id = $1 AND {column} IS NOT NULL"
        )),
        (Pii::Content, Kind::Json) => Some(format!(
            "SELECT DISTINCT found.text #>> '{{}}' FROM {name}, jsonb_path_query({name}.{column}, '$.** ? (@.type() == \"string\")') AS found (text)
              WHERE user_id = $1 AND strpos(found.text #>> '{{}}', '@') > 1"
        )),
        _ => None,
    }
    };
    table.columns.iter().filter_map(find).collect()
}

/// The rows that are exported, each as one JSON object; `None` when the table has nothing of the person. With a tenant, what
/// that tenant has of the person: its own rows, and what it sees of who the person is.
pub(crate) fn exporting(table: &Table, of_tenant: bool) -> Option<String> {
    let subjects: Vec<_> = table.subjects().filter(|column| column.kind == Kind::Uuid).collect();
    let mut condition = match table.class {
        Class::Platform => return None,
        Class::Person if of_tenant && !table.is_one_a_person() => return None,
        Class::Person => "user_id = $1".to_owned(),
        Class::Tenant if subjects.is_empty() => return None,
        Class::Tenant => format!("({})", any(&subjects)),
    };
    if of_tenant && table.class == Class::Tenant {
        condition.push_str(" AND org_id = $2");
    }
    let about: Vec<_> = table.about().filter(|column| column.kind == Kind::Uuid).collect();
    let about = if about.is_empty() { "false".to_owned() } else { any(&about) };
    let only_seen = of_tenant && table.class == Class::Person;
    let seen = |pii: Pii| !only_seen || matches!(pii, Pii::Name | Pii::Contact | Pii::Subject);
    let shown = table.columns.iter().filter(|column| seen(column.pii)).filter_map(|column| {
        let name = &column.name;
        let value = match column.pii {
            _ if column.kind == Kind::Bytes => return None,
            Pii::None => name.clone(),
            Pii::Subject if column.kind == Kind::Uuid => format!("CASE WHEN {name} = $1 THEN {name} END"),
            Pii::Credential | Pii::Subject => return None,
            _ => format!("CASE WHEN {about} THEN {name} END"),
        };
        Some(format!("'{}', {value}", name.trim_matches('"').replace('\'', "''")))
    });
    let shown: Vec<_> = shown.collect();
    let has_content =
        table.columns.iter().any(|column| is_personal(column.pii) && column.pii != Pii::Credential);
    // All that it would say of the person is the id.
    if only_seen && !has_content {
        return None;
    }
    let name = &table.name;
    Some(format!(
        "SELECT jsonb_strip_nulls(jsonb_build_object({})) FROM {name} WHERE {condition}",
        shown.join(", ")
    ))
}

/// Whether a row with the person's id in this column goes.
const fn deletes(column: &Column) -> bool {
    matches!(column.kind, Kind::Uuid) && (column.in_key || column.about && column.not_null)
}

const fn is_personal(pii: Pii) -> bool {
    matches!(pii, Pii::Name | Pii::Contact | Pii::Credential | Pii::Content | Pii::Address)
}

/// Whether the person's id is in any of the columns.
fn any(columns: &[&Column]) -> String {
    let one = |Column { name, kind, .. }: &&Column| match kind {
        Kind::Uuids => format!("$1 = ANY ({name})"),
        Kind::Text => format!("strpos({name}, $1::uuid::text) > 0"),
        Kind::Json => format!("strpos({name}::text, $1::uuid::text) > 0"),
        _ => format!("{name} = $1"),
    };
    columns.iter().map(one).collect::<Vec<_>>().join(" OR ")
}

/// The column without the person's id.
fn forget(column: &Column) -> String {
    let Column { name, kind, not_null, .. } = column;
    match kind {
        Kind::Uuids => format!("{name} = array_remove({name}, $1)"),
        // Another one each time, so that what was unique stays so.
        Kind::Text => format!("{name} = replace({name}, $1::uuid::text, gen_random_uuid()::text)"),
        Kind::Json => format!("{name} = replace({name}::text, $1::uuid::text, '{NIL}')::jsonb"),
        _ if *not_null => format!("{name} = CASE WHEN {name} = $1 THEN '{NIL}' ELSE {name} END"),
        _ => format!("{name} = nullif({name}, $1)"),
    }
}

/// What is left of a personal value; `None` for a type that cannot be emptied.
const fn empty(column: &Column) -> Option<&'static str> {
    match (column.not_null, column.kind) {
        (false, _) => Some("NULL"),
        (true, Kind::Text) => Some("'erased'"),
        (true, Kind::Json) => Some("'{}'"),
        (true, Kind::Bytes) => Some("''"),
        (true, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, pii: Pii, kind: Kind) -> Column {
        let about = name == "user_id";
        Column {
            name: name.to_owned(),
            pii,
            description: String::new(),
            about,
            kind,
            not_null: false,
            in_key: false,
        }
    }

    fn table(class: Class, columns: Vec<Column>) -> Table {
        Table { owner: "a".to_owned(), name: "a.t".to_owned(), class, description: String::new(), columns }
    }

    #[test]
    fn what_is_a_persons_is_deleted() {
        let own = table(Class::Person, vec![column("user_id", Pii::Subject, Kind::Uuid)]);
        assert_eq!(erasing(&own, false).by_id, ["DELETE FROM a.t WHERE user_id = $1"]);
        assert_eq!(erasing(&own, true), Erasing::default());
    }

    #[test]
    fn one_tenant_forgets_somebody_in_its_own_rows() {
        let org = column("org_id", Pii::None, Kind::Uuid);
        let columns =
            vec![org, column("actor", Pii::Subject, Kind::Uuid), column("email", Pii::Contact, Kind::Text)];
        let erasing = erasing(&table(Class::Tenant, columns), true);
        assert_eq!(
            erasing.by_id,
            ["UPDATE a.t SET actor = nullif(actor, $1) WHERE (actor = $1) AND org_id = $2"]
        );
        assert_eq!(
            erasing.by_contact,
            ["UPDATE a.t SET email = NULL WHERE email = ANY ($1) AND org_id = $2"]
        );
        let shared = table(Class::Platform, vec![column("actor", Pii::Subject, Kind::Uuid)]);
        assert_eq!(super::erasing(&shared, true), Erasing::default());
    }

    #[test]
    fn what_somebody_has_done_stays_without_them() {
        let columns = vec![
            column("actor", Pii::Subject, Kind::Uuid),
            column("value", Pii::Content, Kind::Json),
            Column { not_null: true, ..column("maker", Pii::Subject, Kind::Uuid) },
        ];
        assert_eq!(
            erasing(&table(Class::Tenant, columns), false).by_id,
            [
                "UPDATE a.t SET actor = nullif(actor, $1), maker = CASE WHEN maker = $1 THEN '00000000-0000-0000-0000-000000000000' ELSE maker END \
              WHERE (actor = $1 OR maker = $1)"
            ]
        );
    }

    #[test]
    fn a_row_about_somebody_is_emptied_or_goes() {
        let columns = vec![
            column("user_id", Pii::Subject, Kind::Uuid),
            Column { not_null: true, ..column("name", Pii::Name, Kind::Text) },
            column("address", Pii::Address, Kind::Text),
        ];
        assert_eq!(
            erasing(&table(Class::Tenant, columns), false).by_id,
            [
                "UPDATE a.t SET user_id = nullif(user_id, $1), name = CASE WHEN user_id = $1 THEN 'erased' ELSE name END, \
              address = CASE WHEN user_id = $1 THEN NULL ELSE address END WHERE (user_id = $1)"
            ]
        );
        let key = Column { in_key: true, not_null: true, ..column("user_id", Pii::Subject, Kind::Uuid) };
        let erasing = erasing(&table(Class::Tenant, vec![key]), false);
        assert_eq!(erasing.by_id, ["DELETE FROM a.t WHERE (user_id = $1)"]);
    }

    #[test]
    fn an_address_in_a_tenants_table_is_found_by_itself() {
        let invitation = Column { not_null: true, ..column("email", Pii::Contact, Kind::Text) };
        let erasing = erasing(&table(Class::Tenant, vec![invitation]), false);
        assert_eq!(erasing.by_contact, ["DELETE FROM a.t WHERE email = ANY ($1)"]);
    }

    #[test]
    fn no_secret_and_nothing_of_others_is_exported() {
        let columns = vec![
            column("org_id", Pii::None, Kind::Uuid),
            column("actor", Pii::Subject, Kind::Uuid),
            column("value", Pii::Content, Kind::Json),
            column("hash", Pii::Credential, Kind::Text),
        ];
        assert_eq!(
            exporting(&table(Class::Tenant, columns), true).as_deref(),
            Some(
                "SELECT jsonb_strip_nulls(jsonb_build_object('org_id', org_id, 'actor', CASE WHEN actor = $1 THEN actor END, \
                 'value', CASE WHEN false THEN value END)) FROM a.t WHERE (actor = $1) AND org_id = $2"
            )
        );
    }
}
